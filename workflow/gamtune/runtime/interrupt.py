"""Ctrl-C, and SIGINT to one process of a run, end it without a traceback."""

import os
import signal
import sys
import threading
import time
from types import FrameType, TracebackType
from typing import Any

PAUSE = 0.2  # seconds
IMPORT = "<frozen importlib._bootstrap>"  # file of the frames of an import


def interrupt_quietly() -> None:
    """Let SIGINT end this process without a traceback, at once while it imports a module.

    Elsewhere it raises KeyboardInterrupt. Within an import, extension modules turn this into errors of their own, such
    as a panic of Rust. A process that ignores SIGINT, as one in the background of a script does, still ignores it.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return
    before = sys.excepthook

    def report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            before(kind, error, trace)

    sys.excepthook = report
    signal.signal(signal.SIGINT, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    while frame is not None:
        if frame.f_code.co_filename == IMPORT:
            os._exit(128 + number)
        frame = frame.f_back
    raise KeyboardInterrupt


def end_jobs_on_interrupt(workflow: Any, shell: Any) -> None:
    """Let SIGINT end a workflow's jobs and then Snakemake, if `interrupt_quietly` has been called.

    Ctrl-C in a terminal reaches the jobs as well; a signal that is sent to Snakemake alone does not, and Snakemake
    would wait until they have finished.

    Parameters
    ----------
    workflow : snakemake.workflow.Workflow
        The workflow of the main process.
    shell : type of snakemake.shell.shell
        What runs the jobs' commands.
    """
    if signal.getsignal(signal.SIGINT) is not _interrupt:
        return

    def end_jobs() -> None:
        while True:  # a job may be about to start
            for job in list(workflow.dag.jobs) if workflow.dag else []:
                shell.terminate(job.jobid)
            time.sleep(PAUSE)

    def interrupt(number: int, frame: FrameType | None) -> None:
        signal.signal(number, lambda *_: None)  # a second one would only disturb Snakemake's clearing up
        threading.Thread(target=end_jobs, daemon=True).start()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)

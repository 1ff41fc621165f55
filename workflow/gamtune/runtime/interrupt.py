"""Handling of Ctrl-C and SIGINT, which end a run without a traceback."""

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
    """Let SIGINT end this process without a traceback.

    SIGINT raises KeyboardInterrupt, except during an import, where it ends the process immediately, because extension
    modules turn the exception into other errors, such as a panic of Rust. A process that ignores SIGINT, such as a
    background process of a script, still ignores it.
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

    Ctrl-C in a terminal also reaches the jobs. A signal that is sent only to Snakemake does not, and Snakemake would
    wait until the jobs have finished.

    Parameters
    ----------
    workflow : snakemake.workflow.Workflow
        The workflow of the main process.
    shell : type of snakemake.shell.shell
        The class that runs the commands of the jobs.
    """
    if signal.getsignal(signal.SIGINT) is not _interrupt:
        return

    def end_jobs() -> None:
        while True:  # a job may be about to start
            for job in list(workflow.dag.jobs) if workflow.dag else []:
                shell.terminate(job.jobid)
            time.sleep(PAUSE)

    def interrupt(number: int, frame: FrameType | None) -> None:
        signal.signal(number, lambda *_: None)  # a second signal would interrupt Snakemake's cleanup
        threading.Thread(target=end_jobs, daemon=True).start()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)

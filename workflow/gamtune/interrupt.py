"""What Ctrl-C, or SIGINT to Snakemake alone, does to a run."""

import signal
import sys
import threading
import time
from types import FrameType, TracebackType
from typing import Any

PAUSE = 0.2  # seconds


def end_jobs_on_interrupt(workflow: Any, shell: Any) -> None:
    """Let SIGINT end a workflow's jobs and then Snakemake, without a traceback.

    Ctrl-C in a terminal reaches the jobs as well; a signal that is sent to Snakemake alone does not, and Snakemake
    would wait until they have finished. A run that ignores SIGINT, as one in the background of a script does, still
    ignores it.

    Parameters
    ----------
    workflow : snakemake.workflow.Workflow
        The workflow of the main process.
    shell : type of snakemake.shell.shell
        What runs the jobs' commands.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
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

    def report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            before(kind, error, trace)

    before, sys.excepthook = sys.excepthook, report
    signal.signal(signal.SIGINT, interrupt)

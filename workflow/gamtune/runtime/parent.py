"""Processes that end with their parent, so that a killed run leaves no processes behind."""

import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h
RUN = "GAMTUNE_RUN"  # environment variable with the Snakemake process that a job belongs to, from `this_process`


def this_process() -> str:
    """Return the id of this process and its PID namespace, since the same id is another process in a container."""
    return f"{os.getpid()}@{_namespace()}"


def die_with_parent(number: signal.Signals, parent: int | None = None) -> None:
    """Ask Linux to send this process a signal when its parent ends or is killed; no effect on other systems.

    If the parent, or the Snakemake process that this process belongs to, has ended already, the signal is sent
    immediately.

    Parameters
    ----------
    number : signal.Signals
        The signal.
    parent : int, optional
        Process id of the parent; by default the parent at the time of this call.
    """
    if sys.platform == "linux":
        import ctypes

        before = os.getppid() if parent is None else parent  # may be process 1, which is the run in a container
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != before or _run_has_ended():
            os.kill(os.getpid(), number)


def _run_has_ended() -> bool:
    pid, _, namespace = os.environ.get(RUN, "").partition("@")
    return bool(pid) and namespace == _namespace() and int(pid) != os.getppid() and not is_alive(int(pid))


def is_alive(pid: int) -> bool:
    """Return whether a process exists and is not a zombie."""
    import psutil

    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""

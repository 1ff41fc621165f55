"""A process that ends with the one that started it, so that a killed run leaves none behind."""

import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with_parent(number: signal.Signals) -> None:
    """Ask Linux to send this process a signal when its parent ends, however that ends; elsewhere nothing happens."""
    if sys.platform == "linux":
        import ctypes

        parent = os.getppid()  # may be process 1: in a container that is the run itself
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:  # it has ended meanwhile
            os.kill(os.getpid(), number)

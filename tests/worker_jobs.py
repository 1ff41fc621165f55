"""Jobs for tests of workers."""

import os

KEPT = []


def finish(code, parent):
    """Return the exit code."""
    os.write(1, b"finished\n")
    return code


def grow(megabytes, parent):
    """Keep memory."""
    KEPT.append(bytearray(b"x" * (megabytes << 20)))
    return 0

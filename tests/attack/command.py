"""Calls of gamtune's command line in forked children of a process that has imported it already.

A child takes a few milliseconds, whereas the imports take half a second. Exceptions, the working directory and the
memory of a child do not affect the next call.
"""

import importlib
import os
import resource
import select
import signal
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

TIME_LIMIT = 10.0  # seconds; a child that takes longer is killed


@dataclass(frozen=True)
class Answer:
    """Result of one call of the command line.

    Parameters
    ----------
    code : int
        Exit code, negative if a signal ended the call.
    output, errors : str
        Standard output and standard error.
    seconds : float
        CPU time, which does not depend on other processes of the machine; the wall time if the call was killed.
    megabytes : float
        Memory that the call used in addition to that of this process.
    """

    code: int
    output: str
    errors: str
    seconds: float
    megabytes: float


def import_once(*modules: str) -> None:
    """Import modules in this process before it is forked; TensorFlow must not be used in it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for module in modules:
        importlib.import_module(module)


def gamtune(*arguments: object, cwd: Path, limit: float = TIME_LIMIT) -> Answer:
    """Call ``gamtune ARGUMENTS`` in a folder."""
    from gamtune.cli.main import main
    from gamtune.runtime.parent import die_with_parent

    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        start, before = time.monotonic(), _resident()
        sys.stdout.flush()
        sys.stderr.flush()
        parent, pid = os.getpid(), os.fork()
        if pid == 0:
            code = 1
            try:
                os.setsid()
                die_with_parent(signal.SIGKILL, parent)
                os.chdir(cwd)
                for stream, descriptor in ((output, 1), (errors, 2)):
                    os.dup2(stream.fileno(), descriptor)
                sys.stdin = open(os.devnull)  # noqa: SIM115 (the process ends with it)
                sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
                code = main([str(argument) for argument in arguments])
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else int(end.code is not None)
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        killed = not _ended(pid, limit)
        if killed:
            os.killpg(pid, signal.SIGKILL)
        _, status, usage = os.wait4(pid, 0)
        texts = []
        for stream in (output, errors):
            stream.seek(0)
            texts.append(stream.read().decode("utf-8", "replace"))
    seconds = time.monotonic() - start if killed else usage.ru_utime + usage.ru_stime
    return Answer(os.waitstatus_to_exitcode(status), *texts, seconds, usage.ru_maxrss / 1024 - before)


def _ended(pid: int, seconds: float) -> bool:
    descriptor = os.pidfd_open(pid)
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


def _resident() -> float:
    """Return the resident memory of this process in megabytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20

"""The warm trainer: a process that imports TensorFlow once and forks one child per job.

Importing TensorFlow and Keras takes 4 to 5 CPU seconds and 650 MB. A forked child does not repeat the import and shares
the memory. Keras also imports pandas, SciPy, scikit-learn and Matplotlib, so the trainer serves the steps of the
analysis as well as trials. Threads and devices that TensorFlow starts on first use would not survive a fork, so the
trainer only imports it. Each child imports the code of its job, so that an edit during a run cannot mix old and new
code. The forkserver of multiprocessing is not used, because it serves only the process that started it, while the jobs
are children of Snakemake.

``python -m gamtune.runtime.server FD PID [--expected]`` serves the listening socket FD until its parent PID ends.
"""

import gc
import json
import os
import select
import signal
import socket
import struct
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module

from gamtune.runtime.parent import die_with_parent
from gamtune.runtime.warm import IMPORTED, SIZE_BYTES


def main(listener: socket.socket, parent: int, expected: bool) -> None:
    """Serve jobs until the parent ends.

    Parameters
    ----------
    listener : socket
        The socket that jobs connect to.
    parent : int
        Process id of Snakemake.
    expected : bool
        Whether the run has trials to train. If so, TensorFlow is imported immediately, otherwise for the first job.
    """
    die_with_parent(signal.SIGTERM, parent)
    if not expected:
        select.select([listener], [], [])
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras  # noqa: F401
    import tensorflow  # noqa: F401

    gc.collect()
    gc.freeze()  # the garbage collector of a child then does not write to these objects, so their memory stays shared
    with socket.socket(socket.AF_UNIX) as imported:
        imported.bind(listener.getsockname() + IMPORTED.encode())
        Server(listener).serve()


@dataclass(frozen=True)
class _Job:
    pid: int
    pidfd: int
    connection: socket.socket


class Server:
    """The event loop of the trainer, which waits for new jobs, closed connections and ended children."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._jobs: dict[int, _Job] = {}
        self._events = select.poll()
        self._events.register(listener, select.POLLIN)

    def serve(self) -> None:
        """Handle events until the process ends."""
        while True:
            for descriptor, _ in self._events.poll():
                if descriptor == self._listener.fileno():
                    self._begin(self._listener.accept()[0])
                elif (job := self._jobs.get(descriptor)) is None:
                    continue  # the first of two simultaneous events has ended the job
                elif descriptor == job.pidfd:
                    self._end(job)
                else:
                    self._events.unregister(descriptor)
                    os.kill(job.pid, signal.SIGKILL)

    def _begin(self, connection: socket.socket) -> None:
        if _user_of(connection) != os.getuid():
            connection.close()
            return
        parent = os.getpid()
        try:
            pid = os.fork()
        except OSError:  # no process or memory is left; the job then runs in its own process
            connection.close()
            return
        if pid == 0:
            code = 1
            try:
                code = self._child(connection, parent)
            except BaseException:  # for example a failed import; the child must not return to the event loop
                traceback.print_exc()
            finally:
                os._exit(code)
        job = _Job(pid, os.pidfd_open(pid), connection)
        self._jobs |= {job.pidfd: job, connection.fileno(): job}
        self._events.register(job.pidfd, select.POLLIN)
        self._events.register(connection, select.POLLRDHUP)

    def _end(self, job: _Job) -> None:
        """Send the exit code of a child to its job."""
        code = os.waitstatus_to_exitcode(os.waitpid(job.pid, 0)[1])
        for descriptor in (job.pidfd, job.connection.fileno()):
            del self._jobs[descriptor]
        self._events.unregister(job.pidfd)
        os.close(job.pidfd)
        with suppress(KeyError, OSError):  # the job has closed its connection
            self._events.unregister(job.connection)
            job.connection.sendall(f"{code}\n".encode())
        job.connection.close()

    def _child(self, connection: socket.socket, parent: int) -> int:
        """Run the function of a job with the output, environment and working directory of the job."""
        self._listener.close()
        for job in set(self._jobs.values()):
            os.close(job.pidfd)
            job.connection.close()
        size, descriptors, _, _ = socket.recv_fds(connection, SIZE_BYTES, 2)
        with connection, connection.makefile("rb") as stream:
            request = json.loads(stream.read(int.from_bytes(size)))
        for descriptor, standard in zip(descriptors, (1, 2), strict=True):
            os.dup2(descriptor, standard)
            os.close(descriptor)
        os.environ.clear()
        os.environ |= request["environment"]
        paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        sys.path += [path for path in paths if path and path not in sys.path]
        os.chdir(request["directory"])
        module, _, function = request["function"].partition(":")
        code: int = getattr(import_module(module), function)(request["argument"], parent)
        return code


def _user_of(connection: socket.socket) -> int:
    """Return the user id of the connected process, because an abstract socket has no file with permissions."""
    size = struct.calcsize("3i")
    user: int = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))[1]
    return user


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]), "--expected" in sys.argv[3:])

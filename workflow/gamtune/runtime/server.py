"""The warm trainer: has imported TensorFlow, has not used it, and forks one child for each job.

Importing TensorFlow and Keras costs 4 to 5 CPU seconds and 650 MB; a forked child starts with both done, and shares
the memory. Keras imports pandas, SciPy, scikit-learn and Matplotlib too, so the steps of the analysis are served as
well as trainings. What TensorFlow starts on first use (threads, devices) would not survive a fork, so nothing is used
here. The code of the job itself is imported by each child: an edit while a run goes on can never mix old and new.
The forkserver of multiprocessing serves only the process that started it, and the jobs are children of Snakemake.

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
    """Serve for ever; unless trainings are expected, import when the first job knocks: a run may have none."""
    die_with_parent(signal.SIGTERM, parent)
    if not expected:
        select.select([listener], [], [])
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras  # noqa: F401
    import tensorflow  # noqa: F401

    gc.collect()
    gc.freeze()  # the children's collector leaves these objects alone, so their memory stays shared
    with socket.socket(socket.AF_UNIX) as sign:
        sign.bind(listener.getsockname() + IMPORTED.encode())
        Server(listener).serve()


@dataclass(frozen=True)
class _Job:
    pid: int
    pidfd: int
    connection: socket.socket


class Server:
    """Who is served: each job under its connection, which ends when its process does, and under its child."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._jobs: dict[int, _Job] = {}
        self._events = select.poll()
        self._events.register(listener, select.POLLIN)

    def serve(self) -> None:
        """Answer one event after another."""
        while True:
            for descriptor, _ in self._events.poll():
                if descriptor == self._listener.fileno():
                    self._begin(self._listener.accept()[0])
                elif (job := self._jobs.get(descriptor)) is None:
                    continue  # both of its events came at once, and the first has ended it
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
        except OSError:  # no process or memory left: the job tries by itself, the others go on
            connection.close()
            return
        if pid == 0:
            code = 1
            try:
                code = self._child(connection, parent)
            except BaseException:  # a library that cannot be imported, say: this process must never serve
                traceback.print_exc()
            finally:
                os._exit(code)
        job = _Job(pid, os.pidfd_open(pid), connection)
        self._jobs |= {job.pidfd: job, connection.fileno(): job}
        self._events.register(job.pidfd, select.POLLIN)
        self._events.register(connection, select.POLLRDHUP)

    def _end(self, job: _Job) -> None:
        """Tell the job how its child ended."""
        code = os.waitstatus_to_exitcode(os.waitpid(job.pid, 0)[1])
        for descriptor in (job.pidfd, job.connection.fileno()):
            del self._jobs[descriptor]
        self._events.unregister(job.pidfd)
        os.close(job.pidfd)
        with suppress(KeyError, OSError):  # of a job that has left
            self._events.unregister(job.connection)
            job.connection.sendall(f"{code}\n".encode())
        job.connection.close()

    def _child(self, connection: socket.socket, parent: int) -> int:
        """Do the work in the job's place: with its output, environment and folder."""
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
    """Who is at the other end; abstract sockets have no file whose mode would keep others out."""
    size = struct.calcsize("3i")
    user: int = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))[1]
    return user


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]), "--expected" in sys.argv[3:])

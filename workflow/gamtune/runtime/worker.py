"""A worker: a process forked from the server of workers, which runs one job after the other.

A worker that trains keeps the graphs of earlier trials, so that only the first trial of an architecture builds one. It
is forked before TensorFlow is used, and ends after a job that failed, `MOST_JOBS` jobs, or growth by `MOST_GROWTH`.
"""

import json
import os
import socket
import struct
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

MOST_JOBS = 1000
MOST_GROWTH = 1 << 30  # bytes of memory beyond those after the first job
SIZE_BYTES, POOL_BYTES = 8, 32
HEADER_BYTES = SIZE_BYTES + POOL_BYTES
NO_POOL = bytes(POOL_BYTES)  # of a job that needs a separate process
LAST = "last"  # added to the exit code of the last job of a worker


class JobEndedError(Exception):
    """The job has ended before it has sent its request completely."""


@dataclass(frozen=True)
class Arrival:
    """A job that this process has received.

    Attributes
    ----------
    header : bytes
        Size of the request and name of the pool.
    connection : socket
        Connection to the process of the job, from which the request is read.
    outputs : (int, int)
        Descriptors of the standard output and the standard error of the job.
    """

    header: bytes
    connection: socket.socket
    outputs: tuple[int, int]

    def request(self) -> dict[str, Any]:
        """Read the request.

        Raises
        ------
        JobEndedError
            If the job was killed while it sent the request.
        """
        size = int.from_bytes(self.header[:SIZE_BYTES])
        try:
            text = self.connection.makefile("rb").read(size)
        except OSError:
            raise JobEndedError from None
        if len(text) < size:
            raise JobEndedError
        request: dict[str, Any] = json.loads(text)
        return request

    def redirect(self) -> None:
        """Let this process write to the output of the job."""
        for descriptor, standard in zip(self.outputs, (1, 2), strict=True):
            os.dup2(descriptor, standard)
            os.close(descriptor)

    def run(self, parent: int) -> int:
        """Run the function of the job with its output, environment and working directory; return its exit code."""
        with self.connection:
            request = self.request()
        self.redirect()
        os.environ.clear()
        os.environ |= request["environment"]
        paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        sys.path += [path for path in paths if path and path not in sys.path]
        os.chdir(request["directory"])
        module, _, function = request["function"].partition(":")
        code: int = getattr(import_module(module), function)(request["argument"], parent)
        return code


def is_own(connection: socket.socket) -> bool:
    """Return whether the connected process belongs to this user, as an abstract socket has no file with permissions."""
    size = struct.calcsize("3i")
    user: int = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))[1]
    return user == os.getuid()


def work(channel: socket.socket, parent: int) -> None:
    """Run the jobs that the server sends, until a job or the memory requires a new worker.

    Parameters
    ----------
    channel : socket
        Connection to the server. A message of the server holds a header and the descriptors of an `Arrival`; the answer
        is the exit code of the job, with `LAST` if the worker ends.
    parent : int
        Process id of the server.
    """
    own = os.dup(1), os.dup(2)
    most, directory = 0, os.getcwd()
    for number in range(1, MOST_JOBS + 1):
        try:
            header, descriptors, _, _ = socket.recv_fds(channel, HEADER_BYTES, 3)
        except OSError:
            return
        if not header:  # the server has ended
            return
        connection, *outputs = descriptors
        try:
            code = Arrival(header, socket.socket(fileno=connection), (outputs[0], outputs[1])).run(parent)
        except JobEndedError:
            return
        for descriptor, standard in zip(own, (1, 2), strict=True):
            os.dup2(descriptor, standard)  # closes the log of the job
        os.chdir(directory)
        most = most or own_bytes() + MOST_GROWTH
        last = code != 0 or number == MOST_JOBS or own_bytes() > most
        try:
            channel.sendall(f"{code} {LAST if last else ''}\n".encode())
        except OSError:  # the server has ended
            return
        if last:
            return


def own_bytes() -> int:
    """Return the bytes of memory of this process that belong to no file, in multiples of 1024."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("RssAnon:")[2].split()[0]) * 1024

"""The server of warm workers: a process that imports TensorFlow once and forks the processes that run the jobs.

Importing TensorFlow and Keras takes 4 to 5 CPU seconds and 650 MB. A forked process does not repeat the import and
shares the memory. Keras also imports pandas, SciPy, scikit-learn and Matplotlib, so the server runs the steps of the
analysis as well as trials. Threads and devices that TensorFlow starts on first use would not survive a fork, so the
server only imports it. Each process imports the code of its job, so that an edit during a run cannot mix old and new
code. The forkserver of multiprocessing is not used, because it serves only the process that started it, while the jobs
are children of Snakemake.

A trial runs in a worker (`gamtune.runtime.worker`) that an earlier trial of the same pool has left idle, or in a new
one. There are never more workers than there have been simultaneous jobs, which Snakemake limits. A step runs in a
separate process.

``python -m gamtune.runtime.server FD PID [--expected]`` serves the listening socket FD until its parent PID ends.
"""

import gc
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from gamtune.runtime.parent import die_with_parent
from gamtune.runtime.warm import IMPORTED
from gamtune.runtime.worker import HEADER_BYTES, LAST, NO_POOL, SIZE_BYTES, Arrival, JobEndedError, is_own, work


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


@dataclass(eq=False)
class _Process:
    """A forked process, and the connection to the job that it runs, if any.

    Attributes
    ----------
    pool : bytes
        Jobs of the same pool can run in this process one after the other; `NO_POOL` for a step.
    channel : socket, optional
        Connection to the worker; a step has none.
    """

    pid: int
    pidfd: int
    pool: bytes
    channel: socket.socket | None
    job: socket.socket | None = None


class Server:
    """The event loop of the server, which waits for jobs, closed connections, and answers and ends of processes."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._events = select.poll()
        self._handlers: dict[int, Callable[[], None]] = {}
        self._arriving: set[socket.socket] = set()  # connections of jobs that have not sent their header
        self._processes: list[_Process] = []  # those that have been idle for longest come first
        self._watch(listener.fileno(), select.POLLIN, self._accept)

    def serve(self) -> None:
        """Handle events until the process ends."""
        while True:
            descriptor, _ = self._events.poll()[0]  # its handler may close the descriptors of the other events
            self._handlers[descriptor]()

    def _watch(self, descriptor: int, events: int, handler: Callable[[], None]) -> None:
        self._events.register(descriptor, events)
        self._handlers[descriptor] = handler

    def _unwatch(self, descriptor: int) -> None:
        if self._handlers.pop(descriptor, None):
            self._events.unregister(descriptor)

    def _accept(self) -> None:
        connection = self._listener.accept()[0]
        if not is_own(connection):
            connection.close()
            return
        self._arriving.add(connection)
        self._watch(connection.fileno(), select.POLLIN, lambda: self._begin(connection))

    def _begin(self, connection: socket.socket) -> None:
        """Read the header of a job, and run the job in an idle worker of its pool or in a new process."""
        self._unwatch(connection.fileno())
        self._arriving.remove(connection)
        try:
            header, descriptors, _, _ = socket.recv_fds(connection, HEADER_BYTES, 2)
        except OSError:  # the job was killed
            connection.close()
            return
        try:
            if len(header) == HEADER_BYTES and len(descriptors) == 2:
                self._run(Arrival(header, connection, (descriptors[0], descriptors[1])))
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        if not any(process.job is connection for process in self._processes):
            connection.close()  # the job then runs in its own process

    def _run(self, arrival: Arrival) -> None:
        pool = arrival.header[SIZE_BYTES:]
        idle = [process for process in self._processes if process.channel is not None and process.job is None]
        process = next((process for process in reversed(idle) if process.pool == pool), None)
        if process is None:
            if idle and pool != NO_POOL:  # workers of pools that are not used any more are replaced
                os.kill(idle[0].pid, signal.SIGKILL)
            process = self._fork(pool, arrival)
        if process is None:
            return
        if process.channel is not None:
            try:
                descriptors = [arrival.connection.fileno(), *arrival.outputs]
                socket.send_fds(process.channel, [arrival.header], descriptors)
            except OSError:  # the worker was killed while it was idle
                return
        process.job = arrival.connection
        self._watch(arrival.connection.fileno(), select.POLLRDHUP, lambda: self._kill(process))

    def _fork(self, pool: bytes, arrival: Arrival) -> _Process | None:
        """Fork a worker, or a process for a step, which runs immediately; return None if that is not possible."""
        parent = os.getpid()
        channel, other = socket.socketpair() if pool != NO_POOL else (None, None)
        try:
            pid = os.fork()
        except OSError:  # no process or memory is left
            for end in filter(None, (channel, other)):
                end.close()
            return None
        if pid == 0:
            code = 1
            try:
                self._close_all(channel)
                if other is None:
                    code = arrival.run(parent)
                else:
                    arrival.connection.close()
                    for descriptor in arrival.outputs:
                        os.close(descriptor)
                    work(other, parent)
                    code = 0
            except JobEndedError:
                code = 1
            except BaseException:  # for example a failed import; the child must not return to the event loop
                traceback.print_exc()
            finally:
                os._exit(code)
        process = _Process(pid, os.pidfd_open(pid), pool, channel)
        self._processes.append(process)
        self._watch(process.pidfd, select.POLLIN, lambda: self._end(process))
        if channel is not None and other is not None:
            other.close()
            self._watch(channel.fileno(), select.POLLIN, lambda: self._answer(process))
        return process

    def _close_all(self, channel: socket.socket | None) -> None:
        """Close the descriptors of all other processes and jobs in a forked process."""
        self._listener.close()
        for connection in self._arriving:
            connection.close()
        for process in self._processes:
            os.close(process.pidfd)
            for end in filter(None, (process.channel, process.job)):
                end.close()
        if channel is not None:
            channel.close()

    def _kill(self, process: _Process) -> None:
        """Kill a process whose job has closed its connection."""
        if process.job is not None:
            self._unwatch(process.job.fileno())
        os.kill(process.pid, signal.SIGKILL)

    def _answer(self, process: _Process) -> None:
        """Send the exit code of a trial to its job; the worker is idle then, or ends."""
        assert process.channel is not None  # a step has no channel
        words = process.channel.recv(100).decode().split()
        if not words:  # the worker ends
            self._unwatch(process.channel.fileno())
            return
        self._finish(process, int(words[0]))
        if LAST in words:
            process.pool = NO_POOL  # it takes no more jobs
        self._processes.remove(process)
        self._processes.append(process)

    def _end(self, process: _Process) -> None:
        """Remove an ended process, and send its exit code to its job."""
        code = os.waitstatus_to_exitcode(os.waitpid(process.pid, 0)[1])
        if process.channel is not None:
            if process.job is not None and select.select([process.channel], [], [], 0)[0]:
                self._answer(process)  # it was sent before the end
            self._unwatch(process.channel.fileno())
            process.channel.close()
        self._unwatch(process.pidfd)
        os.close(process.pidfd)
        self._processes.remove(process)
        self._finish(process, code)

    def _finish(self, process: _Process, code: int) -> None:
        if process.job is None:
            return
        connection, process.job = process.job, None
        self._unwatch(connection.fileno())
        with suppress(OSError):  # the job has closed its connection
            connection.sendall(f"{code}\n".encode())
        connection.close()


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]), "--expected" in sys.argv[3:])

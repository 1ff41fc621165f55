"""Jobs in another process of the run: the sockets of the processes that serve jobs, and their clients.

The sockets are in Linux' abstract namespace, so that there is no file to remove after a killed run, and no limit on the
length of the path of the project.
"""

import json
import os
import socket
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

from gamtune.runtime.child import ChildLostError
from gamtune.runtime.environment import LIBRARY
from gamtune.runtime.worker import SIZE_BYTES

PATIENCE = 2.0  # seconds


def listen() -> tuple[socket.socket, str]:
    """Return a socket that listens for jobs, and its token, which the jobs find in their environment."""
    import secrets  # imported if needed, because every job imports this module

    listener, token = socket.socket(socket.AF_UNIX), secrets.token_hex(16)
    listener.bind(address(token))
    listener.listen(128)
    return listener, token


def address(token: str) -> str:
    """Return the name of the socket, which differs between environments and between copies of this library."""
    return f"\0gamtune-{token}-{sha256(f'{sys.prefix}{LIBRARY}'.encode()).hexdigest()[:8]}"


def is_running(token: str | None, ending: str = "") -> bool:
    """Return whether a process listens, without connecting to it, since the server would then import TensorFlow."""
    if not token:
        return False
    name = address(token).replace("\0", "@") + ending
    return name in Path("/proc/net/unix").read_text(encoding="utf-8")


class Served:
    """The work of a job in another process.

    Parameters
    ----------
    connection : socket
        Connection to the process, or to the server that forks it.
    function : str
        ``module:function`` that does the work. It takes the argument and the process id of the server, and returns the
        exit code.
    argument : object
        Argument of the function, which consists of builtin types and paths.
    pool : bytes
        Jobs of the same pool can run in one process; `NO_POOL` for a separate process.
    """

    def __init__(self, connection: socket.socket, function: str, argument: Any, pool: bytes) -> None:
        self._connection = connection
        request = {
            "function": function,
            "argument": argument,
            "environment": dict(os.environ),
            "directory": os.getcwd(),
        }
        payload = json.dumps(request, default=str).encode()
        socket.send_fds(connection, [len(payload).to_bytes(SIZE_BYTES) + pool], [1, 2])
        connection.sendall(payload)

    def kill(self) -> None:
        """Close the connection, whereupon the server kills the child."""
        self._connection.settimeout(PATIENCE)  # a server that is still importing kills the child later
        self._connection.shutdown(socket.SHUT_WR)

    def wait(self) -> int:
        """Wait for the exit code of the child, which the server sends."""
        with self._connection, self._connection.makefile("r") as response:
            try:
                return int(response.readline())
            except (OSError, ValueError) as error:
                raise ChildLostError from error


def send(variable: str, function: str, argument: Any, pool: bytes) -> Served | None:
    """Send the work of a job to a process of this run; return None if there is no such process.

    Parameters
    ----------
    variable : str
        Environment variable with the token of the process.
    function, argument, pool
        See `Served`.
    """
    token = os.environ.get(variable)
    if token is None:
        return None
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(address(token))
        return Served(connection, function, argument, pool)
    except OSError:
        connection.close()
        return None

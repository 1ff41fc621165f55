"""The warm trainer as its users see it: how it is started with a run, found by a job, and given its work.

Its socket has no file: Linux' abstract name space keeps the name for as long as the socket lives, whatever the length
of the paths and however the run ends.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import Any

from gamtune.runtime.child import ChildLostError, Task
from gamtune.runtime.environment import with_library
from gamtune.runtime.fingerprint import LIBRARY

VARIABLE = "GAMTUNE_TRAINER"  # tells the jobs of a run which trainer is theirs
IMPORTED = "-imported"  # ends the name of the socket that shows that a trainer has imported TensorFlow
SIZE_BYTES = 8
PATIENCE = 2.0  # seconds
# Threads that a library made before the fork would be missing after it
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB")}


def start_trainer(log: Path, expected: bool = False) -> None:
    """Start a trainer that ends with this process and serves the jobs that inherit its environment.

    If the environment names a running trainer already, the jobs use that one: importing TensorFlow takes seconds.

    Parameters
    ----------
    log : Path
        Where its own messages go; what a training prints goes to the training's log.
    expected : bool
        Whether trainings are to come for certain: then it imports at once, otherwise for the first one.
    """
    if sys.platform != "linux" or _is_running(os.environ.get(VARIABLE)):
        return  # other systems train every trial in a process of its own
    log.parent.mkdir(parents=True, exist_ok=True)
    token = token_hex(16)
    with socket.socket(socket.AF_UNIX) as listener, log.open("w", encoding="utf-8") as file:
        listener.bind(_address(token))
        listener.listen(128)
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "gamtune.runtime.server",
                str(listener.fileno()),
                str(os.getpid()),
                *(["--expected"] if expected else []),
            ],
            env={**os.environ, "PYTHONPATH": with_library(str(LIBRARY)), **ONE_THREAD},
            pass_fds=[listener.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_IGN),  # it ends with its parent
        )
    os.environ[VARIABLE] = token


def _address(token: str) -> str:
    """A job of another environment or another copy of this library computes another name, and finds nobody."""
    return f"\0gamtune-{token}-{sha256(f'{sys.prefix}{LIBRARY}'.encode()).hexdigest()[:8]}"


def _is_running(token: str | None, ending: str = "") -> bool:
    """Return whether a trainer of this library listens; connecting would make it import TensorFlow."""
    if not token:
        return False
    name = _address(token).replace("\0", "@") + ending
    return name in Path("/proc/net/unix").read_text(encoding="utf-8")


class Served:
    """A job's work in a child of the warm trainer.

    Parameters
    ----------
    connection : socket
        To the trainer.
    function : str
        ``module:function`` that does the work; it takes the argument and the trainer's process id, and returns the
        child's exit code.
    argument : object
        Builtin types and paths.
    """

    def __init__(self, connection: socket.socket, function: str, argument: Any) -> None:
        self._connection = connection
        request = {
            "function": function,
            "argument": argument,
            "environment": dict(os.environ),
            "directory": os.getcwd(),
        }
        payload = json.dumps(request, default=str).encode()
        socket.send_fds(connection, [len(payload).to_bytes(SIZE_BYTES)], [1, 2])
        connection.sendall(payload)

    def kill(self) -> None:
        """End it at once: the trainer kills the child of a job that hangs up."""
        self._connection.settimeout(PATIENCE)  # a trainer that is still importing answers later, and kills it then
        self._connection.shutdown(socket.SHUT_WR)

    def wait(self) -> int:
        """Its exit code, from the trainer."""
        with self._connection, self._connection.makefile("r") as answer:
            try:
                return int(answer.readline())
            except (OSError, ValueError) as error:
                raise ChildLostError from error


def ask_trainer(task: Task) -> Served | None:
    """Give the training to this run's warm trainer; None where there is none."""
    return _ask("gamtune.runtime.child:run_served_task", task.to_json())


def run_warm(function: str, arguments: Sequence[str]) -> int | None:
    """Run a command in a child of this run's warm trainer, and wait for its end.

    Parameters
    ----------
    function : str
        ``module:function`` that runs a command; see `Served`.
    arguments : sequence of str
        Name and arguments of the command.

    Returns
    -------
    int or None
        Its exit code, negative when a signal ended it; None where it was not run or may not have come to its end: a
        trainer that has not imported TensorFlow saves no time.
    """
    if not _is_running(os.environ.get(VARIABLE), IMPORTED):
        return None
    served = _ask(function, list(arguments))
    try:
        return served.wait() if served else None
    except ChildLostError:
        return None


def _ask(function: str, argument: Any) -> Served | None:
    """Give a job's work to this run's warm trainer; None where there is none."""
    token = os.environ.get(VARIABLE)
    if token is None:
        return None
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(_address(token))
        return Served(connection, function, argument)
    except OSError:
        connection.close()
        return None

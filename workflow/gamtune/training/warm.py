"""The warm trainer as its users see it: how it is started with a run, found by a job, and given a training.

Its socket has no file: Linux' abstract name space keeps the name for as long as the socket lives, whatever the length
of the paths and however the run ends.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import asdict
from functools import partial
from hashlib import sha256
from pathlib import Path
from secrets import token_hex

from gamtune.runtime.fingerprint import LIBRARY
from gamtune.training.child import ChildLostError, Task

VARIABLE = "GAMTUNE_TRAINER"  # tells the jobs of a run which trainer is theirs
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
                "gamtune.training.server",
                str(listener.fileno()),
                str(os.getpid()),
                *(["--expected"] if expected else []),
            ],
            env={**os.environ, "PYTHONPATH": str(LIBRARY), **ONE_THREAD},
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


def _is_running(token: str | None) -> bool:
    """Return whether a trainer of this library listens; connecting would make it import TensorFlow."""
    return token is not None and _address(token).replace("\0", "@") in Path("/proc/net/unix").read_text(
        encoding="utf-8"
    )


class Served:
    """A training in a child of the warm trainer."""

    def __init__(self, connection: socket.socket, task: Task) -> None:
        self._connection = connection
        said = asdict(task) | {"spec": task.spec.to_json()}
        request = {"task": said, "environment": dict(os.environ), "directory": os.getcwd()}
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
    token = os.environ.get(VARIABLE)
    if token is None:
        return None
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(_address(token))
        return Served(connection, task)
    except OSError:
        connection.close()
        return None

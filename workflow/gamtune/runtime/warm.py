"""Client of the warm trainer: starts it with a run, and sends it the work of jobs.

Its socket is in Linux' abstract namespace, so that there is no file to remove after a killed run, and no limit on the
length of the path of the project.
"""

import json
import os
import signal
import socket
import sys
from collections.abc import Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from gamtune.runtime.child import ChildLostError, Task
from gamtune.runtime.environment import LIBRARY, with_library
from gamtune.runtime.worker import NO_POOL, SIZE_BYTES

VARIABLE = "GAMTUNE_TRAINER"  # environment variable with the token of the trainer of a run
IMPORTED = "-imported"  # suffix of the name of a socket that exists once the trainer has imported TensorFlow
PATIENCE = 2.0  # seconds
OF_THE_SHELL = ("_", "SHLVL", "PWD", "OLDPWD")  # variables that may differ between jobs, and do not affect trials
# A forked child does not have the threads that a library started before the fork
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB")}


def start_trainer(log: Path, expected: bool = False) -> None:
    """Start a trainer that ends with this process and serves the jobs that inherit its environment.

    If the environment already contains the token of a running trainer, the jobs use that one.

    Parameters
    ----------
    log : Path
        File for the messages of the trainer; the output of a trial is written to the log of the trial.
    expected : bool
        Whether the run has trials to train. If so, TensorFlow is imported immediately, otherwise for the first job.
    """
    if sys.platform != "linux" or _is_running(os.environ.get(VARIABLE)):
        return  # other systems train every trial in a separate process
    import secrets  # imported if needed, because every job imports this module
    import subprocess

    log.parent.mkdir(parents=True, exist_ok=True)
    token = secrets.token_hex(16)
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
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_IGN),  # the trainer ends with its parent
        )
    os.environ[VARIABLE] = token


def _address(token: str) -> str:
    """Return the name of the socket, which differs between environments and between copies of this library."""
    return f"\0gamtune-{token}-{sha256(f'{sys.prefix}{LIBRARY}'.encode()).hexdigest()[:8]}"


def _is_running(token: str | None, ending: str = "") -> bool:
    """Return whether a trainer listens, without connecting to it, since it would then import TensorFlow."""
    if not token:
        return False
    name = _address(token).replace("\0", "@") + ending
    return name in Path("/proc/net/unix").read_text(encoding="utf-8")


class Served:
    """The work of a job in a child of the warm trainer.

    Parameters
    ----------
    connection : socket
        Connection to the trainer.
    function : str
        ``module:function`` that does the work. It takes the argument and the process id of the trainer, and returns the
        exit code of the child.
    argument : object
        Argument of the function, which consists of builtin types and paths.
    pool : bytes
        Jobs of the same pool can run in one process; `NO_POOL` for a process of its own.
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
        """Close the connection, whereupon the trainer kills the child."""
        self._connection.settimeout(PATIENCE)  # a trainer that is still importing kills the child later
        self._connection.shutdown(socket.SHUT_WR)

    def wait(self) -> int:
        """Wait for the exit code of the child, which the trainer sends."""
        with self._connection, self._connection.makefile("r") as response:
            try:
                return int(response.readline())
            except (OSError, ValueError) as error:
                raise ChildLostError from error


def send_trial(task: Task) -> Served | None:
    """Send a trial to the warm trainer of this run; return None if there is no trainer."""
    return _send("gamtune.runtime.child:run_served_task", task.to_json(), pool_of(task))


def pool_of(task: Task) -> bytes:
    """Return the name of the pool of workers that can train a task.

    The number of threads, the GPU, the training code and the environment of a process cannot change after its first
    trial.
    """
    environment = {name: value for name, value in os.environ.items() if name not in OF_THE_SHELL}
    fixed = [task.spec.threads, task.code, task.variables, environment]
    return sha256(json.dumps(fixed, sort_keys=True).encode()).digest()


def run_warm(function: str, arguments: Sequence[str]) -> int | None:
    """Run a command in a child of the warm trainer of this run, and wait for its end.

    Parameters
    ----------
    function : str
        ``module:function`` that runs a command; see `Served`.
    arguments : sequence of str
        Name and arguments of the command.

    Returns
    -------
    int or None
        Exit code of the command, or minus the number of the signal that ended it. None if the command was not run, or
        may not have been completed; a trainer that has not imported TensorFlow is not used, since it saves no time.
    """
    if not _is_running(os.environ.get(VARIABLE), IMPORTED):
        return None
    served = _send(function, list(arguments), NO_POOL)
    try:
        return served.wait() if served else None
    except ChildLostError:
        return None


def _send(function: str, argument: Any, pool: bytes) -> Served | None:
    """Send the work of a job to the warm trainer of this run; return None if there is no trainer."""
    token = os.environ.get(VARIABLE)
    if token is None:
        return None
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(_address(token))
        return Served(connection, function, argument, pool)
    except OSError:
        connection.close()
        return None

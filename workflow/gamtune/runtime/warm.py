"""Client of the server of workers: starts it with a run, and sends it the work of jobs.

Its socket is in Linux' abstract namespace, so that there is no file to remove after a killed run, and no limit on the
length of the path of the project.
"""

import json
import os
import signal
import sys
from collections.abc import Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path

from gamtune.runtime.child import ChildLostError, Task
from gamtune.runtime.environment import LIBRARY, with_library
from gamtune.runtime.served import Served, is_running, listen, send
from gamtune.runtime.worker import NO_POOL

VARIABLE = "GAMTUNE_WORKERS"  # environment variable with the token of the server of a run
IMPORTED = "-imported"  # suffix of the name of a socket that exists once the server has imported TensorFlow
OTHERS = ("GAMTUNE_", "_", "SHLVL", "PWD", "OLDPWD")  # beginnings of variables that do not affect trials
# A forked child does not have the threads that a library started before the fork
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB")}


def start_server(log: Path, expected: bool = False) -> None:
    """Start a server that ends with this process and serves the jobs that inherit its environment.

    If the environment already contains the token of a running server, the jobs use that one.

    Parameters
    ----------
    log : Path
        File for the messages of the server; the output of a trial is written to the log of the trial.
    expected : bool
        Whether the run has trials to train. If so, TensorFlow is imported immediately, otherwise for the first job.
    """
    if sys.platform != "linux" or is_running(os.environ.get(VARIABLE)):
        return  # other systems train every trial in a separate process
    import subprocess  # imported if needed, because every job imports this module

    log.parent.mkdir(parents=True, exist_ok=True)
    listener, token = listen()
    with listener, log.open("w", encoding="utf-8") as file:
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
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_IGN),  # the server ends with its parent
        )
    os.environ[VARIABLE] = token


def send_trial(task: Task) -> Served | None:
    """Send a trial to the server of workers of this run; return None if there is no server."""
    return send(VARIABLE, "gamtune.runtime.child:run_served_task", task.to_json(), pool_of(task))


def pool_of(task: Task) -> bytes:
    """Return the name of the pool of workers that can train a task.

    The number of threads, the GPU, the training code and the environment of a process cannot change after its first
    trial.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith(OTHERS)}
    fixed = [task.spec.threads, task.code, task.variables, environment]
    return sha256(json.dumps(fixed, sort_keys=True).encode()).digest()


def run_warm(function: str, arguments: Sequence[str]) -> int | None:
    """Run a command in a child of the server of workers of this run, and wait for its end.

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
        may not have been completed; a server that has not imported TensorFlow is not used, since it saves no time.
    """
    if not is_running(os.environ.get(VARIABLE), IMPORTED):
        return None
    served = send(VARIABLE, function, list(arguments), NO_POOL)
    try:
        return served.wait() if served else None
    except ChildLostError:
        return None

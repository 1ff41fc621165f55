"""Client of the follower: starts it with a run, and sends it the last sync of the run.

It is not part of `follow`, so that Snakemake and the job do not import MLflow.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from gamtune.runtime.child import ChildLostError
from gamtune.runtime.environment import with_library
from gamtune.runtime.served import listen, send
from gamtune.runtime.worker import NO_POOL

FOLLOWER = "GAMTUNE_FOLLOWER"  # environment variable with the token of the follower of a run


def start_follower(library: str, config: str, log: Path) -> None:
    """Start ``gamtune sync --follow``, which ends with this process and serves the jobs that inherit its environment.

    Parameters
    ----------
    library : str
        Folder that contains the package ``gamtune``.
    config : str
        File with the sections of the config that tracking reads.
    log : Path
        File for the messages of the follower.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "gamtune", "sync", config, "--follow", str(os.getpid())]
    environment = {**os.environ, "PYTHONPATH": with_library(library)}
    environment.pop(FOLLOWER, None)
    listener = None
    if sys.platform == "linux":
        listener, os.environ[FOLLOWER] = listen()
        command += ["--listener", str(listener.fileno())]
    with log.open("w", encoding="utf-8") as file, listener or nullcontext():
        subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True,
            pass_fds=[listener.fileno()] if listener else [],
        )  # fmt: skip


def sync_in_follower(arguments: Sequence[str]) -> int | None:
    """Run a sync in the follower of this run, which has imported MLflow, and wait for its end.

    Parameters
    ----------
    arguments : sequence of str
        Arguments of ``gamtune``.

    Returns
    -------
    int or None
        Exit code; None if there is no follower, or it has ended before the sync.
    """
    served = send(FOLLOWER, "gamtune.cli.main:main", list(arguments), NO_POOL)
    try:
        return served.wait() if served else None
    except ChildLostError:
        return None

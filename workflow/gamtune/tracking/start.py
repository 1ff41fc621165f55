"""Starts the follower that shows a running study in MLflow, as a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

from gamtune.runtime.environment import with_library


def start_follower(library: str, config: str, log: Path) -> None:
    """Start ``gamtune sync --follow``; it ends by itself with the process that called this.

    Parameters
    ----------
    library : str
        Folder that holds the package.
    config : str
        File with the sections of the config that tracking reads.
    log : Path
        Where its messages go.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "gamtune", "sync", config, "--follow", str(os.getpid())]
    environment = {**os.environ, "PYTHONPATH": with_library(library)}
    with log.open("w", encoding="utf-8") as file:
        subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
        )

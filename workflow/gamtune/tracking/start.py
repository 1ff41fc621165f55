"""Start the follower in a separate process; it is not part of `follow`, so that Snakemake does not import MLflow."""

import os
import subprocess
import sys
from pathlib import Path

from gamtune.runtime.environment import with_library


def start_follower(library: str, config: str, log: Path) -> None:
    """Start ``gamtune sync --follow``, which ends with the calling process.

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
    with log.open("w", encoding="utf-8") as file:
        subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
        )

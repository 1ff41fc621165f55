"""The environment that runs Snakemake also runs its jobs, whether it has been activated or not."""

import os
import sys


def own_python_first() -> None:
    """Put the folder of this Python first on PATH, which jobs inherit; conda's activation still comes before it."""
    os.environ["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])

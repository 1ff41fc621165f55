"""The commit of this library that runs, to be noted on the runs it writes."""

import subprocess
from pathlib import Path


def library_commit() -> str | None:
    """Hexadecimal git commit of the checkout this library lies in; None outside one or without git."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None

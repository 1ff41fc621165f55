"""Whether a run is alive in this folder: the kernel keeps a lock while it is, and drops it however the run ends.

Snakemake's own lock stays behind after a kill -9 and does not say whose it was. ``python -m gamtune.running FILE`` ends
with 0 when nobody holds the lock, so that such a leftover may be cleared, and with 1 when somebody does.
"""

import fcntl
import sys
from pathlib import Path
from typing import IO


def hold(path: Path) -> IO[str]:
    """Share the lock for as long as the returned file stays open: several studies may run in one folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("w", encoding="utf-8")
    fcntl.flock(file, fcntl.LOCK_SH)
    return file


def is_free(path: Path) -> bool:
    """Whether nobody holds the lock."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
    return True


if __name__ == "__main__":
    sys.exit(0 if is_free(Path(sys.argv[1])) else 1)

"""Whether a run is alive in this folder: the kernel keeps a lock while it is, and drops it however the run ends.

Snakemake's own lock stays behind after a kill -9 and does not say whose it was. ``python -m gamtune.running FILE`` ends
with 0 when nobody holds the lock, so that such a leftover may be cleared, and with 1 when somebody does.
"""

import fcntl
import sys
from pathlib import Path
from typing import IO


def hold(path: Path) -> IO[str] | None:
    """Take the lock for as long as the returned file stays open; None where another process has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("w", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file


if __name__ == "__main__":
    sys.exit(0 if hold(Path(sys.argv[1])) else 1)

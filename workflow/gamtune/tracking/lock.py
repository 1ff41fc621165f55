"""One writer at a time: a lock that the kernel releases when its holder dies."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold ``folder/.mlflow.lock``, waiting until it is free; the folder is the database's, for all who write to it.

    The file is never deleted: whoever waits on a deleted file and whoever makes it anew would both hold the lock.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".mlflow.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield  # closing the file releases it

"""One writer at a time: a lock that the kernel releases when its holder dies."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(results: Path) -> Iterator[None]:
    """Hold ``results/.mlflow.lock``, waiting until it is free.

    The file is never deleted: whoever waits on a deleted file and whoever makes it anew would both hold the lock.
    """
    results.mkdir(parents=True, exist_ok=True)
    with (results / ".mlflow.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield  # closing the file releases it

"""The store of all finished trials, each under a hash of its specification, its data and the training code.

A trial that is in the store is not trained again. A folder that is damaged, or that belongs to another trial, is moved
to ``.damaged/``, and its trial is trained again. Unfinished folders are locked with flock, because filelock locks files
only.
"""

import fcntl
import os
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from gamtune.errors import DamagedError
from gamtune.files import checksum_of, copy_file, flush, locked, matches_checksum, read_json, umask, write_checksum
from gamtune.results.record import MODEL, RECORD, STATE, VERSION
from gamtune.spec import Spec, fingerprint

DAMAGED, LOCK, PART = ".damaged", ".lock", ".part-"
ABANDONED = 7 * 86400  # seconds after which an unfinished folder of another machine is removed


def store_key(spec: Spec, data: str, code: str) -> str:
    """Return the name of the folder of a trial.

    Parameters
    ----------
    spec : Spec
        The specification of the trial.
    data, code : str
        Fingerprints of the data set and of the training code.
    """
    return fingerprint("\n".join((spec.to_json(), data, code)))[:24]


@dataclass(frozen=True)
class Stored:
    """The place of a trial in the store.

    Attributes
    ----------
    store : Path
        The folder of the store.
    spec : Spec
        The specification of the trial.
    data, code : str
        Fingerprints of the data set and of the training code.
    """

    store: Path
    spec: Spec
    data: str
    code: str

    @property
    def folder(self) -> Path:
        """The folder of the trial."""
        return self.store / store_key(self.spec, self.data, self.code)

    def status(self) -> str | None:
        """Return the status of the stored trial, or None if it is not stored; a damaged folder is moved away."""
        if self.folder.exists() and self._record_problem():
            _set_aside(self.folder, self._record_problem)
        return str(read_json(self.folder / RECORD, version=VERSION)["status"]) if self.folder.exists() else None

    def has(self, name: str) -> bool:
        """Return whether the folder holds an intact `MODEL` or `STATE`; a damaged file is moved to ``.damaged/``."""
        path = self.folder / name
        if path.exists() and not matches_checksum(path):
            _set_aside(path, lambda: "" if matches_checksum(path) else "its content does not match its checksum")
        return path.exists()

    def _record_problem(self) -> str:
        """Return what is wrong with the record, or an empty text."""
        path = self.folder / RECORD
        if not path.exists():
            return "there is no record"
        if not matches_checksum(path):
            return "the record does not match its checksum"
        try:
            record = read_json(path, "trial", "data", "code", "status", version=VERSION)
        except DamagedError as error:
            return f"the record is {error.lines[0].partition(';')[0]}"
        expected = {"trial": self.spec.trial, "data": self.data, "code": self.code}
        other = [name for name in expected if record[name] != expected[name]]
        return f"the record belongs to another trial (its {other[0]} differs)" if other else ""


@contextmanager
def new_folder(store: Path) -> Iterator[Path]:
    """Yield a new folder for the files of a trial; it is removed afterwards unless `keep` has moved it into the store.

    This process holds a lock on the folder, which the kernel releases when the process ends; `remove_leftovers` keeps
    folders that are locked.
    """
    store.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=store, prefix=_own_parts()))
    lock = os.open(part, os.O_RDONLY)
    try:
        with suppress(OSError):  # a network file system may not lock folders
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield part
    finally:
        os.close(lock)
        shutil.rmtree(part, ignore_errors=True)


def remove_leftovers(store: Path) -> None:
    """Remove the folders of killed trials: those of this machine if they are not locked, others after a week."""
    for part in store.glob(f"{PART}*"):
        with suppress(OSError):  # another process removes it too, or it belongs to another user
            if _is_leftover(part):
                shutil.rmtree(part, ignore_errors=True)


def _is_leftover(part: Path) -> bool:
    if not part.name.startswith(_own_parts()):
        return time.time() - part.stat().st_mtime > ABANDONED
    lock = os.open(part, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # the file system does not support locks
        return time.time() - part.stat().st_mtime > ABANDONED
    finally:
        os.close(lock)
    return True


def _own_parts() -> str:
    """Return the prefix of the names of the unfinished folders of this machine."""
    return f"{PART}{socket.gethostname()}-"


def keep(part: Path, folder: Path) -> None:
    """Move a folder with the files of a trial into the store; if the trial is stored already, add only missing files.

    The files become read-only, since studies link to them and a write through a link would change the store. They are
    flushed to the disk before the folder gets its name.
    """
    for file in list(part.iterdir()):
        write_checksum(file)
        flush(file)
    for file in part.iterdir():
        file.chmod(0o444 & ~umask())
    part.chmod(0o777 & ~umask())
    flush(part)
    try:
        os.rename(part, folder)
    except OSError:
        if not (folder / RECORD).exists():
            raise
        with locked(folder.parent / LOCK):
            for name in (MODEL, STATE):
                if (part / name).exists() and not matches_checksum(folder / name):
                    for file in (part / name, checksum_of(part / name)):
                        os.replace(file, folder / file.name)
        flush(folder)
    flush(folder.parent)


def take_out(folder: Path, record: Path, with_model: bool) -> None:
    """Copy a stored trial to the path ``record``: first the model, if it is needed, and then the record.

    The model is a hard link if the file system supports it, so that it takes no additional space.
    """
    model = record.with_name(MODEL)
    files = (checksum_of(model), model)
    for file in files:
        file.unlink(missing_ok=True)
    for file in files[::-1]:
        source = folder / file.name
        if with_model and source.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            _link(source, file)
    copy_file(folder / RECORD, record)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or another user's file
        copy_file(source, target)


def _set_aside(path: Path, problem: Callable[[], str]) -> None:
    """Move a file or folder of the store to ``.damaged/``, unless another process has replaced it meanwhile."""
    store = path.parent if path.is_dir() else path.parent.parent
    with locked(store / LOCK):
        reason = problem()
        if not path.exists() or not reason:
            return
        (store / DAMAGED).mkdir(exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=store / DAMAGED, prefix=f"{path.relative_to(store).parts[0]}-"))
        folder.chmod(0o777 & ~umask())
        for moved in (path, checksum_of(path)):
            if moved.exists():
                os.rename(moved, folder / moved.name)
    print(f"{path}: damaged: {reason}; moved to {folder}, training again", file=sys.stderr, flush=True)

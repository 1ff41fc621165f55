"""Removal of trials from the results: trials that no study needs, and failed trials."""

import os
import shutil
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gamtune.errors import DamagedError
from gamtune.files import checksum_of
from gamtune.results.layout import RESULTS, STORE, TrialFolder
from gamtune.results.record import RECORD
from gamtune.results.records import Record


@dataclass(frozen=True)
class Unneeded:
    """A folder or file to remove.

    Attributes
    ----------
    path : Path
        The folder of a trial, or a model in the store.
    owner : str
        Name of the study, or ``store``.
    size : int
        Number of bytes that are freed.
    run : str
        Key of the run in MLflow, if there is one.
    """

    path: Path
    owner: str
    size: int
    run: str = ""


def remove(found: Sequence[Unneeded]) -> list[str]:
    """Remove folders and files, and the folders that are empty afterwards; the caller must hold the run lock.

    The record of a folder is removed first, so that a trial either has all its files or has no record.

    Returns
    -------
    list of str
        One message per folder or file that could not be removed.
    """
    problems = []
    for one in found:
        try:
            (TrialFolder(one.path).record if one.path.is_dir() else one.path).unlink(missing_ok=True)
            if one.path.is_dir():
                shutil.rmtree(one.path)
            _remove_empty(one)
        except FileNotFoundError:  # another process has removed it
            continue
        except OSError as error:
            problems.append(f"{error.filename or one.path}: {error.strerror}")
    return problems


def _remove_empty(one: Unneeded) -> None:
    """Remove the folders above a removed one that are empty now, up to that of the study or the store."""
    for parent in one.path.parents:
        if parent.name in (one.owner, STORE, RESULTS) or any(parent.iterdir()):
            break
        parent.rmdir()


def size_of(folder: Path) -> int:
    """Return the size of the files of a folder in bytes; the size of a linked file is divided among its links."""
    return sum(status.st_size // status.st_nlink for path in folder.rglob("*") if (status := status_of(path)))


def status_of(path: Path) -> os.stat_result | None:
    """Return the status of a file; None if it is a folder, cannot be reached or has vanished."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status if stat.S_ISREG(status.st_mode) else None


def remove_failed_trials(study: Path, store: Path) -> int:
    """Delete the failed trials of a study and their folders in the store; the caller must hold the run lock.

    A damaged record is kept, since the next run reports it or trains the trial again.

    Parameters
    ----------
    study, store : Path
        The folder of the study's results, and the store.

    Returns
    -------
    int
        Number of deleted records of the study.
    """
    failed = {path: trial for path in study.rglob(RECORD) if (trial := _failed_trial(path))}
    for path in list(store.glob(f"[!.]*/{RECORD}")):
        if _failed_trial(path) in failed.values():
            shutil.rmtree(path.parent)
    for path in failed:
        path.unlink()
        checksum_of(path).unlink(missing_ok=True)
    return len(failed)


def _failed_trial(path: Path) -> str:
    """Return the id of a trial if its record is intact and states that it failed, and otherwise an empty text."""
    try:
        record = Record.read(path)
    except DamagedError:
        return ""
    return record.trial if record.status == "failed" else ""

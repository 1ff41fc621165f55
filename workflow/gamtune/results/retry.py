"""Forgets failed trainings, so that they are tried again."""

import shutil
from pathlib import Path

from gamtune.errors import DamagedError
from gamtune.files import checksum_of
from gamtune.results.record import RECORD
from gamtune.results.records import Record


def forget_failures(study: Path, store: Path) -> int:
    """Delete the records with ``status: failed`` of a study, and the store's copies; the caller holds the run lock.

    A damaged record is left alone: the next run deals with it.

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
    """Id of the trial that a record tells has failed; empty for any other record, and for a damaged one."""
    try:
        record = Record.read(path)
    except DamagedError:
        return ""
    return record.trial if record.status == "failed" else ""

"""Forgets failed trainings, so that they are tried again."""

import json
import shutil
from pathlib import Path

from gamtune.training.record import RECORD


def forget_failures(study: Path, store: Path) -> int:
    """Delete the records with ``status: failed`` of a study, and what the store holds of the same trainings.

    Returns
    -------
    int
        How many records were deleted.
    """
    failed = [path for path in study.rglob(RECORD) if _record(path)["status"] == "failed"]
    trials = {_record(path)["trial"] for path in failed}
    for path in list(store.glob(f"*/{RECORD}")):
        record = _record(path)
        if record["status"] == "failed" and record["trial"] in trials:
            shutil.rmtree(path.parent)
    for path in failed:
        path.unlink()
    return len(failed)


def _record(path: Path) -> dict[str, str]:
    record: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return record

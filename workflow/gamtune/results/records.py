"""Records of trainings among a study's results, checked when they are read."""

from pathlib import Path
from typing import Any

from gamtune.errors import DamagedError
from gamtune.files import read_json
from gamtune.results.record import RECORD

STATUSES = ("ok", "failed", "skipped")


def read_record(path: Path, trial: str = "") -> dict[str, Any]:
    """Read a record.

    Parameters
    ----------
    path : Path
        ``record.json`` among a study's results.
    trial : str
        Id of the trial that it must be of, empty if any will do.

    Raises
    ------
    DamagedError
        If the record is damaged, or is that of another trial.
    FileNotFoundError
        If there is none.
    """
    record = read_json(path, "status")
    if record["status"] not in STATUSES or (record["status"] == "ok" and not isinstance(record.get("metrics"), dict)):
        raise DamagedError(path, "it is not the record of a training")
    if trial and record.get("trial", trial) != trial:
        raise DamagedError(path, f"it is the record of trial {record['trial']}, expected {trial}")
    return record


def trial_record(folder: Path, trial: str) -> Path:
    """Where the record of a row of the table lies in the study's folder of results."""
    return folder / "trials" / trial / RECORD

"""Slots files: one line per trial of a stage.

A stage is a round, a rung, the confirmations or the final trials. The number of its slots is known when the workflow is
parsed, but their configurations are proposed when earlier trials have finished. A stage has one file, ``slots.csv``,
with the columns `COLUMNS`. The record of a slot is ``<stage>/<slot>/record.json``.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gamtune.errors import DamagedError
from gamtune.files import write_text
from gamtune.results.artefacts import artefact_text, read_rows
from gamtune.results.record import VERSION
from gamtune.spec import Spec

COLUMNS = ("slot", "name", "reason", "spec")


@dataclass(frozen=True)
class FilledSlot:
    """A line of a slots file.

    Attributes
    ----------
    slot : str
        Name of the slot, unique within the stage.
    name : str
        Name of the configuration or candidate; empty if nobody proposed one.
    spec : Spec or None
        The trial; None if the slot is empty.
    reason : str
        Why the slot is empty.
    """

    slot: str
    name: str
    spec: Spec | None
    reason: str = ""


def write_slots(path: Path, slots: Iterable[FilledSlot]) -> None:
    """Write the slots file of a stage."""
    rows = ((one.slot, one.name or None, one.reason or None, one.spec and one.spec.to_json()) for one in slots)
    write_text(path, artefact_text(COLUMNS, rows))


def read_slots(path: Path) -> list[FilledSlot]:
    """Return the slots of a file in its order.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    DamagedError
        If the file is damaged.
    """
    slots = []
    for cells in read_rows(path, *COLUMNS):
        try:
            spec = Spec.from_json(cells["spec"]) if cells["spec"] else None
        except (ValueError, TypeError, AttributeError):  # no JSON, no object, or other settings
            raise DamagedError(path, f"slot {cells['slot']} has no specification of a trial") from None
        slots.append(FilledSlot(cells["slot"], cells["name"], spec, cells["reason"]))
    return slots


def read_slot(path: Path, slot: str) -> FilledSlot:
    """Return one slot of a file.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    DamagedError
        If the file is damaged or does not have the slot.
    """
    slots = read_slots(path)
    for one in slots:
        if one.slot == slot:
            return one
    raise DamagedError(path, f"it has {len(slots)} slot(s), and no slot {slot!r}")


def write_skipped(record: Path, reason: str) -> None:
    """Write the record of an empty slot, of which only the reason is known.

    Unlike `Record.write`, this function does not import pydantic.

    Parameters
    ----------
    record : Path
        The file.
    reason : str
        Why the slot is empty.
    """
    write_text(record, json.dumps({"version": VERSION, "status": "skipped", "reason": reason}) + "\n")

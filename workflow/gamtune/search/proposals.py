"""The file of a round or a rung: its slots are known when the workflow is parsed, its rows when others are trained.

``<round or rung>/proposals.csv`` has the columns of ``table.csv``, then slot, reason and spec; an empty slot has its
reason alone. The record of a slot lies in ``<round or rung>/<slot>/``.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from gamtune.config.study import Study
from gamtune.errors import DamagedError
from gamtune.files import write_text
from gamtune.results.artefacts import artefact_text, read_rows
from gamtune.results.record import RECORD
from gamtune.results.records import trial_record
from gamtune.search.table import header, lines
from gamtune.slots import Row, Slot
from gamtune.spec import Spec

FILE = "proposals.csv"
SLOT_COLUMNS = ("slot", "reason", "spec")


def write_proposals(study: Study, stage: int, slots: Sequence[Slot], out: Path) -> None:
    """Write the file of the round or rung number ``stage``."""
    columns = header(study)
    filled = lines(study, (slot.row for slot in slots if slot.row), stage)
    rows = []
    for number, slot in enumerate(slots, start=1):
        shown = next(filled) if slot.row else [None] * len(columns)
        rows.append([*shown, number, slot.reason or None, slot.row.spec.to_json() if slot.row else None])
    write_text(out, artefact_text([*columns, *SLOT_COLUMNS], rows))


def read_slot(file: Path, slot: int) -> Slot:
    """Return one slot of a file.

    Raises
    ------
    DamagedError
        If the file does not have it.
    """
    slots = _read(file)
    if slot > len(slots):
        raise DamagedError(file, f"it has {len(slots)} slot(s), and no slot {slot}")
    return slots[slot - 1]


def proposed_rows(folder: Path, stages: Sequence[str]) -> list[tuple[Row, Path]]:
    """Every row that the rounds or rungs of a study hold, in their order, and where its record lies.

    Parameters
    ----------
    folder : Path
        The study's folder of results.
    stages : sequence of str
        Folders of rounds or rungs within it; one without a file yet has no rows.
    """
    return [
        (slot.row, folder / stage / str(number) / RECORD)
        for stage in stages
        for number, slot in enumerate(_read(folder / stage / FILE), start=1)
        if slot.row
    ]


def lines_with_records(folder: Path, stages: Sequence[str]) -> Iterator[tuple[dict[str, str], Path]]:
    """Every row of the table and of the stages that are there, as its cells, and where its record lies.

    Parameters
    ----------
    folder, stages
        As for `proposed_rows`. A missing table has no rows: Snakemake removes an output before it makes it anew.
    """
    for cells in _cells(folder / "table.csv", "trial", "name"):
        yield cells, trial_record(folder, cells["trial"])
    for stage in stages:
        for cells in _cells(folder / stage / FILE, "trial", *SLOT_COLUMNS):
            if cells["spec"]:
                shown = {name: cell for name, cell in cells.items() if name not in SLOT_COLUMNS}
                yield shown, folder / stage / cells["slot"] / RECORD


def _read(file: Path) -> list[Slot]:
    slots = []
    for cells in _cells(file, "name", "replicate", *SLOT_COLUMNS):
        row = Row(cells["name"], int(cells["replicate"]), Spec.from_json(cells["spec"])) if cells["spec"] else None
        slots.append(Slot(row, cells["reason"]))
    return slots


def _cells(file: Path, *columns: str) -> list[dict[str, str]]:
    try:
        return read_rows(file, *columns)
    except FileNotFoundError:
        return []

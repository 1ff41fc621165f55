"""All trials of a search with the paths of their records: those of the table, then those of its stages."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from gamtune.config.settings import SETTINGS
from gamtune.results.artefacts import read_lines
from gamtune.results.layout import StudyFolder
from gamtune.results.slots_file import FilledSlot, read_slots
from gamtune.search.table import cells
from gamtune.slots import Row


def proposed_rows(folder: Path, stages: Sequence[str]) -> list[tuple[Row, Path]]:
    """Return every trial of some stages of a study, in order, and the path of its record.

    Parameters
    ----------
    folder : Path
        The study's folder of results.
    stages : sequence of str
        Folders of the stages within it; a stage without a slots file has no trials yet.
    """
    stage_folders = [StudyFolder(folder).stage(stage) for stage in stages]
    return [
        (Row(slot.name, 1, slot.spec), stage_folder.slot(slot.slot).record)
        for stage_folder in stage_folders
        for slot in _slots(stage_folder.slots)
        if slot.spec
    ]


def lines_with_records(folder: Path, stages: Sequence[str]) -> Iterator[tuple[dict[str, str], Path]]:
    """Yield the cells of every trial under the columns of ``table.csv``, and the path of its record.

    Parameters
    ----------
    folder, stages
        As for `proposed_rows`. A missing table counts as empty, since Snakemake removes outputs before a step runs.
    """
    study = StudyFolder(folder)
    header, *lines = _lines(study.table)
    for line in lines:
        values = dict(zip(header, line, strict=True))
        yield values, study.trial(values["trial"]).record
    for stage in stages:
        kind, _, number = stage.partition("/")
        for row, record in proposed_rows(folder, [stage]):
            yield _cells(header, row, {kind.removesuffix("s"): number}), record


def _cells(header: Sequence[str], row: Row, stage: dict[str, str]) -> dict[str, str]:
    """Return the cells of a trial as text, in the order of the columns of the table."""
    values: dict[str, Any] = {
        "trial": row.spec.trial, "name": row.name, "replicate": row.replicate, "configuration": row.configuration,
        **stage, **cells(row.spec, [name for name in header if name in SETTINGS]),
    }  # fmt: skip
    return {name: "" if values[name] is None else str(values[name]) for name in header or values}


def _slots(file: Path) -> list[FilledSlot]:
    try:
        return read_slots(file)
    except FileNotFoundError:
        return []


def _lines(file: Path) -> list[list[str]]:
    try:
        return read_lines(file)
    except FileNotFoundError:
        return [[]]

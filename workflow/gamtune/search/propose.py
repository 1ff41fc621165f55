"""Fills the slots of a round or a rung from the results of the rows before it."""

from collections.abc import Sequence
from pathlib import Path

from gamtune.config.search import TABLE
from gamtune.config.study import Study
from gamtune.errors import InputError
from gamtune.results.layout import StudyFolder
from gamtune.results.records import Record
from gamtune.results.slots_file import FilledSlot, write_slots
from gamtune.search.table import build_table
from gamtune.search.trials import proposed_rows
from gamtune.slots import Outcome, Row, Slot


def propose(study: Study, stage: int, folder: Path) -> None:
    """Write the slots file of a round or rung.

    Parameters
    ----------
    study : Study
        The config. How many rounds it asks for has no part in any of them.
    stage : int
        Number of the round or rung, from 1.
    folder : Path
        The study's folder of results, with the records of all earlier rows.
    """
    search, table, results = study.search, build_table(study), StudyFolder(folder)
    trained = []
    for source in search.sources(stage):
        if source == TABLE:
            trained += [(row, results.trial(row.spec.trial).record) for row in table]
        else:
            trained += proposed_rows(folder, [source])
    proposed = search.propose(study, stage, search.stage_slots(len(table))[stage - 1], _outcomes(trained))
    slots = (_filled(str(number), slot) for number, slot in enumerate(proposed, start=1))
    write_slots(results.stage(search.stages[stage - 1]).slots, slots)


def _filled(name: str, slot: Slot) -> FilledSlot:
    return FilledSlot(name, slot.row.name, slot.row.spec) if slot.row else FilledSlot(name, "", None, slot.reason)


def _outcomes(rows: Sequence[tuple[Row, Path]]) -> list[Outcome]:
    """Return each row with its result."""
    outcomes = []
    for row, path in rows:
        try:
            record = Record.read(path, row.spec.trial)
        except FileNotFoundError:
            raise InputError([f"{path} is missing: the rows before a round have to be trained first"]) from None
        error = record.validation_mse if record.status == "ok" else None
        outcomes.append(Outcome(row, error))
    return outcomes

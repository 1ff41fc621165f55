"""Fill the slots of a stage from the results of earlier trials."""

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
    """Write the slots file of a stage (a round or a rung).

    Parameters
    ----------
    study : Study
        The config. The proposals of a round do not depend on the total number of rounds.
    stage : int
        Number of the stage, from 1.
    folder : Path
        The study's folder of results, with the records of all earlier trials.

    Raises
    ------
    InputError
        If the record of an earlier trial is missing.
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
    """Return the result of each trial."""
    outcomes = []
    for row, path in rows:
        try:
            record = Record.read(path, row.spec.trial)
        except FileNotFoundError:
            raise InputError([f"{path}: missing; train the trials of the earlier stages first"]) from None
        error = record.validation_mse if record.status == "ok" else None
        outcomes.append(Outcome(row, error))
    return outcomes

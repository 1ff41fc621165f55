"""All trials of a search with the paths of their records: those of the table, then those of its stages."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from gamtune.results.layout import StudyFolder
from gamtune.results.slots_file import FilledSlot, read_slots
from gamtune.results.trial_table import TRIAL, SearchTrial, TrialTable
from gamtune.search.table import trial_cells
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


def search_trials(folder: Path, stages: Sequence[str]) -> Iterator[SearchTrial]:
    """Yield every trial of a study, in order.

    Parameters
    ----------
    folder, stages
        As for `proposed_rows`. A missing table counts as empty, since Snakemake removes outputs before a step runs.

    Raises
    ------
    DamagedError
        If the table or a slots file is damaged.
    """
    study = StudyFolder(folder)
    try:
        table = TrialTable.read(study.table)
    except FileNotFoundError:
        table = TrialTable([], [])
    for cells in table.rows:
        yield SearchTrial(cells, study.trial(cells[TRIAL]).record)
    for stage in stages:
        kind, _, number = stage.partition("/")
        for row, record in proposed_rows(folder, [stage]):
            values = trial_cells(row, table.hyperparameters, {kind.removesuffix("s"): number})
            columns = table.columns or values
            yield SearchTrial({name: "" if values[name] is None else str(values[name]) for name in columns}, record)


def _slots(file: Path) -> list[FilledSlot]:
    try:
        return read_slots(file)
    except FileNotFoundError:
        return []

"""Compare the trials that a config requires with those in the files of its results."""

from collections.abc import Sequence
from pathlib import Path

from gamtune.config.study import Study
from gamtune.errors import DamagedError, InputError
from gamtune.results.layout import StudyFolder
from gamtune.results.slots_file import read_slots
from gamtune.results.trial_table import SearchTrial, TrialId
from gamtune.search.table import build_table
from gamtune.search.trials import search_trials


def planned_trials(study: Study, folder: Path) -> list[SearchTrial]:
    """Return every trial of a study, in the order of the table and its stages.

    Parameters
    ----------
    study : Study
        The config.
    folder : Path
        The study's folder of results, with ``table.csv`` and the proposals of its rounds or rungs.

    Raises
    ------
    DamagedError
        If a file does not contain the trials or slots that the config requires.
    """
    table, results = build_table(study), StudyFolder(folder)
    trials = [row.trial for row in TrialId.read(results.table)]
    _compare(results.table, "trial", trials, [row.spec.trial for row in table])
    for stage, slots in zip(study.search.stages, study.search.stage_slots(len(table)), strict=True):
        file = results.stage(stage).slots
        _compare(file, "slot", [one.slot for one in read_slots(file)], [str(number) for number in range(1, slots + 1)])
    return list(search_trials(folder, study.search.stages))


def check_summary(study: Study, folder: Path) -> None:
    """Check that ``summary.csv`` in the study's folder of results contains the trials that the config requires.

    Raises
    ------
    FileNotFoundError
        If there is no summary.
    InputError
        If the trials differ.
    """
    path = StudyFolder(folder).summary
    trials = [row.trial for row in TrialId.read(path)]
    table = [row.spec.trial for row in build_table(study)]
    slots = sum(study.search.stage_slots(len(table)))
    if trials[: len(table)] != table or len(trials) > len(table) + slots:
        problem = f"does not contain the {len(table) + slots} trials of the config"
        raise InputError(
            [f"{problem}; run the study; if Snakemake has nothing to do, delete this file and run it again"], str(path)
        )


def _compare(file: Path, column: str, found: Sequence[str], expected: Sequence[str]) -> None:
    if len(found) != len(expected):
        raise DamagedError(file, f"it has {len(found)} row(s), expected {len(expected)}")
    for number, (one, other) in enumerate(zip(found, expected, strict=True), start=1):
        if one != other:
            raise DamagedError(file, f"row {number} is {column} {one!r}, expected {other!r}")

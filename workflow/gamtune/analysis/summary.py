"""The step `summarise`: join the parameter table with the records of its trials."""

from pathlib import Path

from gamtune.config.study import Study
from gamtune.files import write_text
from gamtune.metrics.h2o import METRICS
from gamtune.results.artefacts import artefact_text
from gamtune.results.dataset import DatasetInfo
from gamtune.results.layout import StudyFolder
from gamtune.results.records import Record
from gamtune.results.trial_table import OUTCOME, SELECTED_ON
from gamtune.search.planned import planned_trials

PARTS = ("train", "validation")


def summarise(study: Study, folder: Path) -> None:
    """Write ``summary.csv``.

    Parameters
    ----------
    study : Study
        The config.
    folder : Path
        The study's folder of results, with ``table.csv`` and a record for each of its rows. The summary has one row per
        trial: the columns of the table, then status, reason, seconds, epochs_run and ``{train,validation}_<metric>``
        for the metrics of the task. If the study selects on the test set, the last column ``selected_on`` is "test".

    Raises
    ------
    DamagedError
        If a record, or the file that plans its trial, is damaged or belongs to another study.
    FileNotFoundError
        If a trial has no record.
    """
    results = StudyFolder(folder)
    data = DatasetInfo.read(results.data.info)
    metrics = METRICS[data.task]
    selected_on = {SELECTED_ON: "test"} if data.selected_on == "test" else {}
    header: list[str] = []
    lines = []
    for trial in planned_trials(study, folder):
        header = header or [
            *trial.cells,
            *OUTCOME,
            *(f"{part}_{metric}" for part in PARTS for metric in metrics),
            *selected_on,
        ]
        record = Record.read(trial.record, trial.trial)
        scores = [record.metric(part, metric) for part in PARTS for metric in metrics]
        planned = (cell or None for cell in trial.cells.values())
        lines.append([*planned, *(getattr(record, name) for name in OUTCOME), *scores, *selected_on.values()])
    write_text(results.summary, artefact_text(header, lines))

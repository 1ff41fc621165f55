"""The summary: the table joined with its records, one row a trial, failed ones with their reason."""

from pathlib import Path

from gamtune.analysis.comparable import OUTCOME, SELECTION
from gamtune.config.study import Study
from gamtune.files import write_text
from gamtune.metrics.h2o import METRICS
from gamtune.results.artefacts import artefact_text
from gamtune.results.dataset import DatasetInfo
from gamtune.results.layout import StudyFolder
from gamtune.results.records import Record
from gamtune.search.planned import planned_lines

PARTS = ("train", "validation")


def summarise(study: Study, folder: Path) -> None:
    """Write ``summary.csv``.

    Parameters
    ----------
    study : Study
        The config.
    folder : Path
        The study's folder of results, with ``table.csv`` and a record for every row. The summary has the table's
        columns as they are written there, then status, reason, seconds, epochs_run and
        ``{train,validation}_<metric>`` for the metrics of the data's task; where the test rows served as validation, a
        last column ``selection`` says so.

    Raises
    ------
    DamagedError
        If a record, or the file that asks for it, is damaged or belongs to another study.
    FileNotFoundError
        If a row has no record.
    """
    results = StudyFolder(folder)
    data = DatasetInfo.read(results.data.info)
    metrics = METRICS[data.task]
    flattered = {SELECTION: "test"} if data.selection == "test" else {}
    header: list[str] = []
    lines = []
    for cells, path in planned_lines(study, folder):
        header = header or [*cells, *OUTCOME, *(f"{part}_{metric}" for part in PARTS for metric in metrics), *flattered]
        record = Record.read(path, cells["trial"])
        figures = [record.metric(part, metric) for part in PARTS for metric in metrics]
        shown = (cell or None for cell in cells.values())
        lines.append([*shown, *(getattr(record, name) for name in OUTCOME), *figures, *flattered.values()])
    write_text(results.summary, artefact_text(header, lines))

"""The summary: the table joined with its records, one row a trial, failed ones with their reason."""

from collections.abc import Sequence
from pathlib import Path

from gamtune.analysis.comparable import OUTCOME, SELECTION
from gamtune.files import read_json, write_text
from gamtune.space.proposals import lines_with_records
from gamtune.space.records import read_record
from gamtune.tables.artefacts import artefact_text
from gamtune.training.metrics import METRICS

PARTS = ("train", "validation")


def summarise(study: Path, stages: Sequence[str] = ()) -> None:
    """Write ``summary.csv``.

    Parameters
    ----------
    study : Path
        The study's folder of results, with ``table.csv`` and a record for every row. The summary has the table's
        columns as they are written there, then status, reason, seconds, epochs_run and
        ``{train,validation}_<metric>`` for the metrics of the data's task; where the test rows served as validation, a
        last column ``selection`` says so.
    stages : sequence of str
        Folders of the study's rounds or rungs, whose rows follow those of the table.

    Raises
    ------
    FileNotFoundError
        If a row has no record.
    """
    data = read_json(study / "data" / "digest.json", "task", "selection")
    metrics = METRICS[data["task"]]
    flattered = {SELECTION: "test"} if data["selection"] == "test" else {}
    header: list[str] = []
    lines = []
    for cells, path in lines_with_records(study, stages):
        header = header or [*cells, *OUTCOME, *(f"{part}_{metric}" for part in PARTS for metric in metrics), *flattered]
        record = read_record(path, cells["trial"])
        told = record["metrics"] or {}
        figures = [told.get(part, {}).get(metric) for part in PARTS for metric in metrics]
        shown = (cell or None for cell in cells.values())
        lines.append([*shown, *(record[name] for name in OUTCOME), *figures, *flattered.values()])
    write_text(study / "summary.csv", artefact_text(header, lines))

"""The summary: the table joined with its records, one row a trial, failed ones with their reason."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from gamtune.files import write_text
from gamtune.space.proposals import lines_with_records
from gamtune.training.metrics import METRICS

PARTS = ("train", "validation")
OUTCOME = ("status", "reason", "seconds", "epochs_run")


def summarise(study: Path, stages: Sequence[str] = ()) -> None:
    """Write ``summary.csv``.

    Parameters
    ----------
    study : Path
        The study's folder of results, with ``table.csv`` and a record for every row. The summary has the table's
        columns as they are written there, then status, reason, seconds, epochs_run and
        ``{train,validation}_{mse,rmse,r2,logloss,mean_per_class_error,accuracy}``.
    stages : sequence of str
        Folders of the study's rounds or rungs, whose rows follow those of the table.

    Raises
    ------
    FileNotFoundError
        If a row has no record.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for number, (cells, path) in enumerate(lines_with_records(study, stages)):
        if number == 0:
            writer.writerow([*cells, *OUTCOME, *(f"{part}_{metric}" for part in PARTS for metric in METRICS)])
        record = json.loads(path.read_text(encoding="utf-8"))
        writer.writerow([*cells.values(), *(record[name] for name in OUTCOME), *_figures(record)])
    write_text(study / "summary.csv", text.getvalue())


def _figures(record: dict[str, Any]) -> Iterator[Any]:
    metrics = record["metrics"] or {}
    return (metrics.get(part, {}).get(metric) for part in PARTS for metric in METRICS)

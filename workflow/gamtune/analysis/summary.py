"""The summary: the table joined with its records, one row a trial, failed ones with their reason."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gamtune.files import write_text
from gamtune.training.metrics import METRICS

PARTS = ("train", "validation")
OUTCOME = ("status", "reason", "seconds", "epochs_run")


def summarise(study: Path) -> None:
    """Write ``summary.csv``.

    Parameters
    ----------
    study : Path
        The study's folder of results, with ``table.csv`` and ``trials/<trial>/record.json`` for every row. The summary
        has the table's columns as they are written there, then status, reason, seconds, epochs_run and
        ``{train,validation}_{mse,rmse,r2,logloss,mean_per_class_error,accuracy}``.

    Raises
    ------
    FileNotFoundError
        If a row has no record.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    with (study / "table.csv").open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        header = next(rows)
        writer.writerow([*header, *OUTCOME, *(f"{part}_{metric}" for part in PARTS for metric in METRICS)])
        for row in rows:
            record = json.loads(
                (study / "trials" / row[header.index("trial")] / "record.json").read_text(encoding="utf-8")
            )
            writer.writerow([*row, *(record[name] for name in OUTCOME), *_figures(record)])
    write_text(study / "summary.csv", text.getvalue())


def _figures(record: dict[str, Any]) -> Iterator[Any]:
    metrics = record["metrics"] or {}
    return (metrics.get(part, {}).get(metric) for part in PARTS for metric in METRICS)

"""Metrics of a file of predictions: one row a case, its true class and a probability for each, or its two values."""

import csv
import math
import sys
from pathlib import Path

import numpy as np

from gamtune.errors import InputError
from gamtune.training.metrics import classification_metrics, confusion_matrix, regression_metrics


def score_file(path: Path) -> dict[str, object]:
    """The metrics of a CSV file with columns ``actual`` and ``p_<class>``, or without those ``predicted``.

    Returns
    -------
    dict
        The metrics; of classes also their names in the order of the columns and the confusion matrix, rows true.

    Raises
    ------
    InputError
        If the file cannot be read or a row is no prediction; the line names the row.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError([f"cannot be read: {getattr(error, 'strerror', error)}"], str(path)) from None
    if not rows:
        raise InputError(["no rows"], str(path))
    columns = [name for name in rows[0] if name and name.startswith("p_")]
    if "actual" not in rows[0] or (len(columns) < 2 and (columns or "predicted" not in rows[0])):
        expected = "expected actual and p_<class> twice or more, or actual and predicted"
        raise InputError([f"got columns {', '.join(map(str, rows[0]))}; {expected}"], str(path))
    if not columns:
        actual, predicted = (
            np.array([_number(path, number, name, row[name]) for number, row in enumerate(rows, start=1)])
            for name in ("actual", "predicted")
        )
        return {**regression_metrics(predicted, actual)}
    classes = [name.removeprefix("p_") for name in columns]
    labels, probabilities = [], []
    for number, row in enumerate(rows, start=1):
        if row["actual"] not in classes:
            raise InputError([f"row {number}, column 'actual': no column p_{row['actual']}"], str(path))
        labels.append(classes.index(row["actual"]))
        probabilities.append([_probability(path, number, name, row[name]) for name in columns])
    with np.errstate(divide="ignore"):  # log 0 is the -inf that the metrics know
        scored = np.log(np.array(probabilities))
    indices = np.array(labels)
    matrix = confusion_matrix(scored, indices).tolist()
    return {**classification_metrics(scored, indices), "classes": classes, "confusion_matrix": matrix}


def _probability(path: Path, row: int, column: str, cell: str | None) -> float:
    return _number(path, row, column, cell, "a probability", 0.0, 1.0)


def _number(
    path: Path, row: int, column: str, cell: str | None,
    expected: str = "a number", low: float = -sys.float_info.max, high: float = sys.float_info.max,
) -> float:  # fmt: skip
    try:
        number = float(cell or "")
    except ValueError:
        number = math.nan
    if not low <= number <= high:
        raise InputError([f"row {row}, column {column!r}: got {cell!r}, expected {expected}"], str(path))
    return number

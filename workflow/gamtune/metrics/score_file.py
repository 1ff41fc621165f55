"""Metrics of a file of predictions: the true class and the class probabilities, or the true and predicted values."""

import math
from pathlib import Path
from typing import Any

import numpy as np

from gamtune.errors import InputError
from gamtune.metrics.h2o import classification_metrics, confusion_matrix, regression_metrics
from gamtune.results.artefacts import plain
from gamtune.tables.column import Column, FloatArray
from gamtune.tables.table import Table, read_table

ROUNDED = 0.015  # largest deviation from 1 of a sum of rounded probabilities


def score_file(path: Path) -> dict[str, Any]:
    """Return the metrics of a CSV or Parquet file of predictions.

    Parameters
    ----------
    path : Path
        File with the columns ``actual`` and one ``p_<class>`` per class, or ``actual`` and ``predicted``.

    Returns
    -------
    dict
        The metrics, None where one is not defined. For a classification also ``classes``, in the order of the columns,
        and ``confusion_matrix``, whose rows are the true classes.

    Raises
    ------
    InputError
        If the file cannot be read or a row is not a valid prediction; the message contains the row.
    """
    table = read_table(path, missing=("",))  # a class may be named NA
    probabilities = [name for name in table.names if name.startswith("p_")]
    if "actual" not in table.names or (len(probabilities) < 2 and (probabilities or "predicted" not in table.names)):
        expected = "expected actual and at least two columns p_<class>, or actual and predicted"
        raise InputError([f"got columns {', '.join(table.names)}; {expected}"], str(path))
    if not probabilities:
        actual, predicted = (_numbers(table.column(name), "a number") for name in ("actual", "predicted"))
        return _defined(regression_metrics(predicted, actual))
    labels = [None if label is None else plain(label) for label in table.column("actual").texts()]
    classes, values = _distributions(table, probabilities, set(labels))
    indices = np.array([classes.index(label) if label in classes else -1 for label in labels])
    if (indices < 0).any():
        row = int((indices < 0).argmax())
        raise InputError([f"{table.place(row)}, column 'actual': there is no column p_{labels[row] or ''}"])
    with np.errstate(divide="ignore"):  # log 0 is -inf, which the metrics accept
        scored = np.log(values)
    matrix = confusion_matrix(scored, indices).tolist()
    return {**_defined(classification_metrics(scored, indices)), "classes": classes, "confusion_matrix": matrix}


def _distributions(table: Table, names: list[str], labels: set[str | None]) -> tuple[list[str], FloatArray]:
    """Return the classes and their (n, K) probabilities.

    These are all columns p_<class> if they sum to 1, otherwise only those of classes that occur in ``actual``, since a
    column such as p_value may not be a class.
    """
    true = [name for name in names if name.removeprefix("p_") in labels]
    others = {name: table.column(name) for name in names if name not in true}
    values = {name: _numbers(table.column(name), "a probability", 0.0, 1.0) for name in true}
    if all(column.all_numbers and not column.missing for column in others.values()):
        every = values | {name: column.numbers() for name, column in others.items()}
        chosen = np.column_stack([every[name] for name in names])
        if (np.abs(chosen.sum(axis=1) - 1) <= ROUNDED).all() and (chosen >= 0).all():
            return [name.removeprefix("p_") for name in names], chosen
    if not true:
        return [name.removeprefix("p_") for name in names], np.empty((len(table), len(names)))
    chosen = np.column_stack([values[name] for name in true])
    wrong = np.flatnonzero(np.abs(chosen.sum(axis=1) - 1) > ROUNDED)
    if len(wrong):
        total = float(chosen[wrong[0]].sum())
        found = f"the probabilities in {', '.join(true)} sum to {total:.6g}, expected 1"
        raise InputError([f"{table.place(int(wrong[0]))}: {found}"])
    return [name.removeprefix("p_") for name in true], chosen


def _numbers(column: Column, expected: str, low: float = -math.inf, high: float = math.inf) -> FloatArray:
    """Return the cells of a column after checking that all are numbers within the bounds."""
    values = column.numbers(f"got {{cell}}, expected {expected}")
    wrong = np.flatnonzero(np.isnan(values) | (values < low) | (values > high))
    if len(wrong):
        raise column.error(int(wrong[0]), f"got {{cell}}, expected {expected}")
    return values


def _defined(metrics: Any) -> dict[str, Any]:
    """Return the metrics with None instead of NaN, which is not valid in JSON."""
    return {name: value if math.isfinite(value) else None for name, value in dict(metrics).items()}

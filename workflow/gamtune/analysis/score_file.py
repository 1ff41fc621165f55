"""Metrics of a file of predictions: one row a case, its true class and a probability for each class."""

import csv
from pathlib import Path

import numpy as np

from gamtune.config.errors import ConfigError
from gamtune.training.metrics import classification_metrics, confusion_matrix


def score_file(path: Path) -> dict[str, object]:
    """The metrics of a CSV file with columns ``actual`` and ``p_<class>``; other columns are ignored.

    Returns
    -------
    dict
        The metrics, the classes in the order of their columns and the confusion matrix, rows true.

    Raises
    ------
    ConfigError
        If the file cannot be read or a row is no prediction; the line names the row.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"cannot be read: {getattr(error, 'strerror', error)}"], str(path)) from None
    if not rows:
        raise ConfigError(["no rows"], str(path))
    columns = [name for name in rows[0] if name and name.startswith("p_")]
    if "actual" not in rows[0] or len(columns) < 2:
        raise ConfigError(
            [f"got columns {', '.join(map(str, rows[0]))}; expected actual and p_<class> twice or more"], str(path)
        )
    classes = [name.removeprefix("p_") for name in columns]
    labels, probabilities = [], []
    for number, row in enumerate(rows, start=1):
        if row["actual"] not in classes:
            raise ConfigError([f"row {number}, column 'actual': no column p_{row['actual']}"], str(path))
        labels.append(classes.index(row["actual"]))
        probabilities.append([_probability(path, number, name, row[name]) for name in columns])
    with np.errstate(divide="ignore"):  # log 0 is the -inf that the metrics know
        scored = np.log(np.array(probabilities))
    indices = np.array(labels)
    matrix = confusion_matrix(scored, indices).tolist()
    return {**classification_metrics(scored, indices), "classes": classes, "confusion_matrix": matrix}


def _probability(path: Path, row: int, column: str, cell: str | None) -> float:
    try:
        probability = float(cell or "")
    except ValueError:
        probability = -1.0
    if not 0 <= probability <= 1:
        raise ConfigError([f"row {row}, column {column!r}: got {cell!r}, expected a probability"], str(path))
    return probability

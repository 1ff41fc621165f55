"""Scores of the exported model of a finished study."""

import csv
from pathlib import Path

import numpy as np
import pytest


def check_export(study: Path) -> None:
    """Check that ``optimum/model.keras`` gives exactly the test metrics that the study reports.

    Parameters
    ----------
    study : Path
        The study's folder of results. The arrays are those of the data set whose preprocessing was exported.
    """
    import keras

    optimum = study / "optimum"
    preprocessing = (optimum / "preprocessing.json").read_bytes()
    arrays = next(p.parent for p in (study / "data").rglob("preprocessing.json") if p.read_bytes() == preprocessing)
    x, y = (np.load(arrays / f"{axis}_test.npy") for axis in "xy")
    model = keras.saving.load_model(optimum / "model.keras", compile=False)
    outputs = np.concatenate([np.asarray(model(x[begin : begin + 4096])) for begin in range(0, len(x), 4096)])
    assert outputs.dtype == np.float64
    with (optimum / "comparison.csv").open(newline="", encoding="utf-8") as file:
        reported = next(row for row in csv.DictReader(file) if (row["what"], row["part"]) == ("optimum", "test"))
    if y.dtype.kind == "f":
        errors = outputs[:, 0] - y
        scored = {"mse": np.mean(errors**2), "mae": np.mean(np.abs(errors))}
    else:
        of_class = outputs[np.arange(len(y)), y]
        scored = {
            "mse": np.mean((1 - of_class) ** 2),
            "logloss": np.mean(np.minimum(-np.log(of_class), -np.log(1e-15))),
            "accuracy": np.mean(outputs.argmax(axis=1) == y),
        }
    for name, value in scored.items():
        assert value == pytest.approx(float(reported[name]), rel=1e-12), name

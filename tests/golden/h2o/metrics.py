"""Write H2O's metrics of some predictions to metrics.json.

H2O rounds what it is given: targets to 32 bits, and small probabilities because it takes the logarithm of 1 - (1 - p). So
that its definitions can be compared to the last digits, all values here survive that: targets are 32-bit numbers and
probabilities multiples of 2**-40.

Needs the package h2o 3.46.0.12 and a Java runtime: python tests/golden/h2o/metrics.py
"""

import json
from pathlib import Path

import h2o
import numpy as np
import pandas as pd

SEED = 20161001


def classification_cases():
    """Return the (n, K) probabilities and the true classes of each case."""
    random = np.random.default_rng(SEED)

    def drawn(rows, classes, sharpness=1.0):
        logits = random.normal(scale=sharpness, size=(rows, classes))
        probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        return np.round(probabilities * 2**40) / 2**40, random.integers(classes, size=rows)

    saturated = np.eye(4)[random.integers(4, size=60)]
    tied = np.repeat([[0.25, 0.25, 0.25, 0.25], [0.5, 0.5, 0.0, 0.0], [0.0, 0.4, 0.2, 0.4]], 8, axis=0)
    yield "plain", *drawn(80, 6)
    yield "sharp", *drawn(60, 6, 30.0)
    yield "saturated", saturated, random.integers(4, size=60)
    yield "tied", tied, random.integers(4, size=24)
    probabilities, labels = drawn(80, 5)
    yield "absent class", probabilities, np.where(labels == 2, 3, labels)
    yield "single row", *drawn(1, 3)
    yield "single wrong row", np.array([[0.0, 1.0, 0.0]]), np.array([2])
    yield "two classes", *drawn(120, 2, 3.0)
    yield "26 classes", *drawn(100, 26)


def regression_cases():
    """Return the predictions and targets of each case."""
    random = np.random.default_rng(SEED)

    def drawn(mean, sd, rows):
        return random.normal(mean, sd, rows).astype(np.float32).astype(float)

    targets = drawn(5, 2, 60)
    yield "plain", targets + drawn(0, 1, 60), targets
    yield "worse than the mean", drawn(0, 9, 40), drawn(0, 1, 40)
    yield "large numbers", drawn(5e6, 2e6, 60), drawn(5e6, 2e6, 60)
    yield "exact", targets, targets
    yield "two rows", np.array([1.0, 2.5]), np.array([1.5, 2.0])


def classification(probabilities, labels):
    classes = probabilities.shape[1]
    names = [f"c{number:02d}" for number in range(classes)]
    actual = h2o.H2OFrame(pd.DataFrame({"actual": [names[label] for label in labels]}), column_types=["enum"])
    shown = probabilities[:, 1:] if classes == 2 else probabilities
    predicted = h2o.H2OFrame(pd.DataFrame(shown, columns=names[-shown.shape[1] :]))
    result = h2o.make_metrics(predicted, actual, domain=names)
    metrics = {"mse": result.mse(), "rmse": result.rmse(), "r2": result.r2(), "logloss": result.logloss()}
    if classes > 2:
        metrics["mean_per_class_error"] = result.mean_per_class_error()
        metrics["confusion_matrix"] = [
            [int(cell) for cell in row[:classes]] for row in result.confusion_matrix().cell_values[:classes]
        ]
    return metrics


def regression(predictions, targets):
    frames = [h2o.H2OFrame(pd.DataFrame({"value": values})) for values in (predictions, targets)]
    result = h2o.make_metrics(*frames, distribution="gaussian")
    return {"mse": result.mse(), "rmse": result.rmse(), "mae": result.mae(), "r2": result.r2()}


def finite(metrics):
    """Return the metrics without infinite values: R2 if all samples have the same class."""
    return {name: value for name, value in metrics.items() if value != "-Infinity"}


def main():
    h2o.init(nthreads=1, max_mem_size="1g")
    h2o.no_progress()
    found = {"h2o": h2o.__version__, "classification": {}, "regression": {}}
    for name, probabilities, labels in classification_cases():
        found["classification"][name] = {
            "probabilities": probabilities.tolist(), "labels": labels.tolist(),
            "metrics": finite(classification(probabilities, labels)),
        }  # fmt: skip
    for name, predictions, targets in regression_cases():
        found["regression"][name] = {
            "predictions": predictions.tolist(), "targets": targets.tolist(), "metrics": regression(predictions, targets)
        }  # fmt: skip
    Path(__file__).with_name("metrics.json").write_text(json.dumps(found) + "\n")
    h2o.cluster().shutdown()


if __name__ == "__main__":
    main()

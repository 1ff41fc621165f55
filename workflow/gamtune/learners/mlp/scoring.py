"""Scores of a network on the rows of a part, and the predictions they come from."""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from gamtune.data.arrays import Part, Prepared
from gamtune.learners.mlp.forward import outputs_of
from gamtune.metrics.h2o import FloatArray, classification_metrics, log_softmax, regression_metrics


def predict(raw: keras.Model, x: npt.NDArray[np.float32], data: Prepared) -> FloatArray:
    """(n, K) log-probabilities of rows, or (n,) values of a regression, in float64 from the raw outputs."""
    outputs = outputs_of(raw, x)
    if data.classes is not None:
        return log_softmax(outputs)
    mean, sd = data.target_scale
    values: FloatArray = outputs[:, 0].astype(np.float64) * sd + mean
    return values


def score(raw: keras.Model, part: Part, data: Prepared) -> dict[str, float]:
    """The metrics of a part's rows."""
    return metrics_of(predict(raw, part.x, data), part.y, data)


def metrics_of(predicted: FloatArray, targets: npt.NDArray[Any], data: Prepared) -> dict[str, float]:
    """The metrics of what `predict` gave."""
    metrics = regression_metrics if data.classes is None else classification_metrics
    return metrics(predicted, targets)

"""Predictions of a network, and their metrics."""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from gamtune.data.arrays import Part, Prepared
from gamtune.learners.mlp.forward import outputs_of
from gamtune.metrics.h2o import FloatArray, classification_metrics, log_softmax, regression_metrics


def predict(raw: keras.Model, x: npt.NDArray[np.float32], data: Prepared) -> FloatArray:
    """Return the predictions of a network, computed in float64 from its raw outputs.

    Parameters
    ----------
    raw : keras.Model
        The network with raw outputs.
    x : (n, inputs) float32
        Standardised samples.
    data : Prepared
        Classes or scale of the target.

    Returns
    -------
    (n, K) or (n,) float64
        Log-probabilities of K classes, or the values of a regression.
    """
    outputs = outputs_of(raw, x)
    if data.classes is not None:
        return log_softmax(outputs)
    mean, sd = data.target_scale
    values: FloatArray = outputs[:, 0].astype(np.float64) * sd + mean
    return values


def score(raw: keras.Model, part: Part, data: Prepared) -> dict[str, float]:
    """Return the metrics of a network on the samples of a part."""
    return metrics_of(predict(raw, part.x, data), part.y, data)


def metrics_of(predicted: FloatArray, targets: npt.NDArray[Any], data: Prepared) -> dict[str, float]:
    """Return the metrics of the predictions of `predict`."""
    metrics = regression_metrics if data.classes is None else classification_metrics
    return metrics(predicted, targets)

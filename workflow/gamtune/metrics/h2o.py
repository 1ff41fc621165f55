"""Metrics as H2O defines them, in float64.

Source: h2o-3, hex.ModelMetricsMultinomial, hex.ModelMetricsRegression and hex.ConfusionMatrix (rel-3.46). scikit-learn
defines the MSE of classes, the cap of the log loss and the error of classes without samples in other ways.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.integer[Any]]

MAX_LOG_LOSS = -math.log(1e-15)  # H2O's cap for one row, 34.54
METRICS = {
    "classification": ("mse", "rmse", "r2", "logloss", "mean_per_class_error", "accuracy"),
    "regression": ("mse", "rmse", "mae", "r2"),
}


def log_softmax(logits: npt.NDArray[Any]) -> FloatArray:
    """(n, K) log-probabilities in float64 of the network's outputs before the softmax."""
    shifted: FloatArray = logits.astype(np.float64)
    shifted -= shifted.max(axis=1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return shifted


def classification_metrics(log_probabilities: FloatArray, labels: IntArray) -> dict[str, float]:
    """All of `METRICS` of a classification.

    Parameters
    ----------
    log_probabilities : (n, K) float64
        From logits, since Keras' float32 softmax saturates at 1e-7; -inf stands for a probability of 0.
    labels : (n,) int
        True class, 0 to K-1.

    Raises
    ------
    ValueError
        If there are no rows, ``labels`` holds a class outside 0..K-1, or a value is NaN or above 0.

    Examples
    --------
    >>> metrics = classification_metrics(np.log([[0.88, 0.12], [0.4, 0.6]]), np.array([0, 1]))
    >>> round(metrics["mse"], 4), metrics["accuracy"]
    (0.0872, 1.0)
    """
    _check(log_probabilities, labels)
    error = mse(log_probabilities, labels)
    counts = confusion_matrix(log_probabilities, labels)
    return {
        "mse": error,
        "rmse": math.sqrt(error),
        "r2": r2(error, labels),
        "logloss": log_loss(log_probabilities, labels),
        "mean_per_class_error": mean_per_class_error(counts),
        "accuracy": float(np.trace(counts) / counts.sum()),
    }


def regression_metrics(predictions: FloatArray, targets: FloatArray) -> dict[str, float]:
    """All of `METRICS` of a regression, in the target's units.

    Parameters
    ----------
    predictions, targets : (n,) float64
        What was predicted and what was to be.

    Raises
    ------
    ValueError
        If there are no rows, or not as many predictions as targets.

    Examples
    --------
    >>> regression_metrics(np.array([1.0, 2.0]), np.array([1.0, 4.0]))["mse"]
    2.0
    """
    if len(targets) == 0 or len(predictions) != len(targets):
        raise ValueError(f"got {len(predictions)} predictions for {len(targets)} targets, expected as many, at least 1")
    errors = predictions - targets
    error = float(np.mean(errors**2))
    return {
        "mse": error,
        "rmse": math.sqrt(error),
        "mae": float(np.mean(np.abs(errors))),
        "r2": r2(error, targets),
    }


def mse(log_probabilities: FloatArray, labels: IntArray) -> float:
    """Mean of (1 - probability of the true class) squared: H2O's multinomial MSE, not the Brier score."""
    return float(np.mean(np.expm1(_of_true_class(log_probabilities, labels)) ** 2))


def r2(error: float, targets: npt.NDArray[Any]) -> float:
    """1 - MSE over the population variance of the targets, or of the class index; NaN where only one value occurs."""
    constant = targets.min() == targets.max()  # the variance of equal numbers may differ from 0 by rounding
    variance = 0.0 if constant else float(np.var(targets))
    return 1 - error / variance if variance > 0 else math.nan


def log_loss(log_probabilities: FloatArray, labels: IntArray) -> float:
    """Mean negative log-likelihood of the true class, each row capped at ``MAX_LOG_LOSS``."""
    return float(np.minimum(-_of_true_class(log_probabilities, labels), MAX_LOG_LOSS).mean())


def confusion_matrix(log_probabilities: FloatArray, labels: IntArray) -> IntArray:
    """(K, K) counts: rows are the true classes, columns the most probable ones (the first of equals)."""
    classes = log_probabilities.shape[1]
    counts = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counts, (labels, log_probabilities.argmax(axis=1)), 1)
    return counts


def mean_per_class_error(counts: IntArray) -> float:
    """Mean over all K classes of the share of a class' rows that are misjudged; 0 for a class without rows.

    Parameters
    ----------
    counts : (K, K) int
        Confusion matrix, rows true.
    """
    rows = counts.sum(axis=1)
    wrong = rows - np.diag(counts)
    return float(np.mean(wrong / np.maximum(rows, 1)))


def _of_true_class(log_probabilities: FloatArray, labels: IntArray) -> FloatArray:
    return log_probabilities[np.arange(len(labels)), labels]


def _check(log_probabilities: FloatArray, labels: IntArray) -> None:
    if len(labels) == 0 or log_probabilities.shape[0] != len(labels):
        raise ValueError(
            f"got {log_probabilities.shape[0]} predictions for {len(labels)} labels, expected as many, at least 1"
        )
    if labels.min() < 0 or labels.max() >= log_probabilities.shape[1]:
        raise ValueError(f"labels must lie in 0..{log_probabilities.shape[1] - 1}, got {labels.min()}..{labels.max()}")
    if not np.all(log_probabilities <= 1e-9):  # rounding may leave a sure prediction a hair above 0
        raise ValueError("log-probabilities must be numbers of at most 0")

"""Classification and regression metrics as defined by H2O, computed in float64.

Source: h2o-3, hex.ModelMetricsMultinomial, hex.ModelMetricsRegression and hex.ConfusionMatrix (rel-3.46). scikit-learn
has different definitions of the MSE of a classification, the cap of the log loss and the error of empty classes.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.integer[Any]]

MAX_LOG_LOSS = -math.log(1e-15)  # H2O caps the loss of one sample here (34.54)
METRICS = {
    "classification": ("mse", "rmse", "r2", "logloss", "mean_per_class_error", "accuracy"),
    "regression": ("mse", "rmse", "mae", "r2"),
}


def log_softmax(logits: npt.NDArray[Any]) -> FloatArray:
    """Return the log-probabilities of logits.

    Parameters
    ----------
    logits : (n, K) array
        Outputs of the network before the softmax.

    Returns
    -------
    (n, K) float64
        Logarithm of the softmax, which does not underflow for improbable classes.
    """
    shifted: FloatArray = logits.astype(np.float64)
    shifted -= shifted.max(axis=1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return shifted


def classification_metrics(log_probabilities: FloatArray, labels: IntArray) -> dict[str, float]:
    """Return all classification metrics of `METRICS`.

    Parameters
    ----------
    log_probabilities : (n, K) float64
        Log-probabilities computed from logits, because the float32 softmax of Keras saturates at 1e-7; -inf is a
        probability of 0.
    labels : (n,) int
        True classes, 0 to K - 1.

    Raises
    ------
    ValueError
        If there are no samples, a label is outside 0..K - 1, or a log-probability is NaN or positive.

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
    """Return all regression metrics of `METRICS`, in the units of the target.

    Parameters
    ----------
    predictions, targets : (n,) float64
        Predicted and true values.

    Raises
    ------
    ValueError
        If there are no samples, or the numbers of predictions and targets differ.

    Examples
    --------
    >>> regression_metrics(np.array([1.0, 2.0]), np.array([1.0, 4.0]))["mse"]
    2.0
    """
    if len(targets) == 0 or len(predictions) != len(targets):
        raise ValueError(
            f"got {len(predictions)} predictions for {len(targets)} targets, expected equal numbers above 0"
        )
    errors = predictions - targets
    error = float(np.mean(errors**2))
    return {
        "mse": error,
        "rmse": math.sqrt(error),
        "mae": float(np.mean(np.abs(errors))),
        "r2": r2(error, targets),
    }


def mse(log_probabilities: FloatArray, labels: IntArray) -> float:
    """Return the mean of (1 - probability of the true class) squared, H2O's multinomial MSE.

    It differs from the Brier score, which sums over all classes.

    Parameters
    ----------
    log_probabilities : (n, K) float64
        Log-probabilities of the classes.
    labels : (n,) int
        True classes, 0 to K - 1.
    """
    return float(np.mean(np.expm1(_of_true_class(log_probabilities, labels)) ** 2))


def r2(error: float, targets: npt.NDArray[Any]) -> float:
    """Return the coefficient of determination, 1 - MSE / variance of the targets; NaN if the variance is 0.

    Parameters
    ----------
    error : float
        The mean squared error.
    targets : (n,) array
        Values of a regression, or class indices. The population variance (division by n) is used.
    """
    constant = targets.min() == targets.max()  # because of rounding, the variance of equal numbers may differ from 0
    variance = 0.0 if constant else float(np.var(targets))
    return 1 - error / variance if variance > 0 else math.nan


def log_loss(log_probabilities: FloatArray, labels: IntArray) -> float:
    """Return the mean negative log-likelihood, with the loss of each sample capped at `MAX_LOG_LOSS`.

    Parameters
    ----------
    log_probabilities : (n, K) float64
        Log-probabilities of the classes.
    labels : (n,) int
        True classes, 0 to K - 1.
    """
    return float(np.minimum(-_of_true_class(log_probabilities, labels), MAX_LOG_LOSS).mean())


def confusion_matrix(log_probabilities: FloatArray, labels: IntArray) -> IntArray:
    """Return the (K, K) confusion matrix: rows are the true classes, columns the most probable ones.

    If several classes have the highest probability, the first one is predicted.

    Parameters
    ----------
    log_probabilities : (n, K) float64
        Log-probabilities of the classes.
    labels : (n,) int
        True classes, 0 to K - 1.
    """
    classes = log_probabilities.shape[1]
    counts = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counts, (labels, log_probabilities.argmax(axis=1)), 1)
    return counts


def mean_per_class_error(counts: IntArray) -> float:
    """Return the mean over all K classes of the error rate of each class; a class without samples has error rate 0.

    Parameters
    ----------
    counts : (K, K) int
        Confusion matrix whose rows are the true classes.
    """
    rows = counts.sum(axis=1)
    wrong = rows - np.diag(counts)
    return float(np.mean(wrong / np.maximum(rows, 1)))


def _of_true_class(log_probabilities: FloatArray, labels: IntArray) -> FloatArray:
    return log_probabilities[np.arange(len(labels)), labels]


def _check(log_probabilities: FloatArray, labels: IntArray) -> None:
    if len(labels) == 0 or log_probabilities.shape[0] != len(labels):
        raise ValueError(
            f"got {log_probabilities.shape[0]} predictions for {len(labels)} labels, expected equal numbers above 0"
        )
    if labels.min() < 0 or labels.max() >= log_probabilities.shape[1]:
        raise ValueError(f"labels must be in 0..{log_probabilities.shape[1] - 1}, got {labels.min()}..{labels.max()}")
    if not np.all(log_probabilities <= 1e-9):  # a log-probability of 0 may be slightly positive because of rounding
        raise ValueError("log-probabilities must not be positive or NaN")

"""Scores of a network on the rows of a part, and the log-probabilities they come from."""

import keras
import numpy as np

from gamtune.data.arrays import Part
from gamtune.training.metrics import FloatArray, classification_metrics, log_softmax

ROWS_AT_ONCE = 4096  # bounds the memory that scoring takes


def log_probabilities(logits: keras.Model, part: Part) -> FloatArray:
    """(n, K) float64 log-probabilities of a part's rows."""
    slices = range(0, len(part.y), ROWS_AT_ONCE)
    outputs = [np.asarray(logits(part.x[start : start + ROWS_AT_ONCE], training=False)) for start in slices]
    return log_softmax(np.concatenate(outputs))


def score(logits: keras.Model, part: Part) -> dict[str, float]:
    """The metrics of a part's rows."""
    return classification_metrics(log_probabilities(logits, part), part.y)

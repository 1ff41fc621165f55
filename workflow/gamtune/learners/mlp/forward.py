"""Outputs of a network for any number of samples."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

SAMPLES_AT_ONCE = 4096  # limits the memory of scoring


def outputs_of(model: Callable[..., Any], x: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
    """Return the outputs of a Keras model, (n, outputs), in the precision of its last layer.

    All scores and predictions use this function. ``model.predict`` compiles a graph whose fused operations round
    float32 sums differently, so that the scores of an exported model would not equal the reported ones exactly.

    Parameters
    ----------
    model : keras.Model
    x : (n, inputs) float32
        Standardised samples.
    """
    slices = range(0, max(len(x), 1), SAMPLES_AT_ONCE)
    return np.concatenate([np.asarray(model(x[begin : begin + SAMPLES_AT_ONCE], training=False)) for begin in slices])

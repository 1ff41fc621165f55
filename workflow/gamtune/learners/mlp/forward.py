"""The outputs of a network for any number of samples."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

SAMPLES_AT_ONCE = 4096  # bounds the memory that scoring takes


def outputs_of(model: Callable[..., Any], x: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
    """Return the outputs of a Keras model, (n, outputs), in the precision of its last layer.

    Scores and predictions all come from this function: ``model.predict`` compiles a graph whose fused operations round
    the sums of float32 numbers otherwise, so that an exported model would not score exactly what is reported.

    Parameters
    ----------
    model : keras.Model
    x : (n, inputs) float32
        Standardised samples.
    """
    slices = range(0, max(len(x), 1), SAMPLES_AT_ONCE)
    return np.concatenate([np.asarray(model(x[begin : begin + SAMPLES_AT_ONCE], training=False)) for begin in slices])

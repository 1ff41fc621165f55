"""Dropout masks that depend on weight seed, epoch and step only, so that a resumed trial has the same masks.

Source: Srivastava et al. 2014. Keras scales up the kept values in training; H2O scales down the outputs in scoring.
"""

import math
from collections.abc import Sequence

import tensorflow as tf

LEVELS = 1 << 16  # 16 random bits per element, since drawing random bits takes more time than applying the masks


def dropout_factors(
    rates: Sequence[float],
    widths: Sequence[int],
    batch_size: int,
    weight_seed: int,
    epoch: tf.Tensor,
    step: tf.Tensor,
    rescaled: bool = True,
) -> list[tf.Tensor | None]:
    """Return the factors of the inputs and of the outputs of each hidden layer in one step.

    Parameters
    ----------
    rates : sequence of float
        Dropout rates of the inputs and of each hidden layer; they are rounded to multiples of 1/65536.
    widths : sequence of int
        Numbers of inputs and of neurons per hidden layer.
    batch_size : int
        Number of samples.
    weight_seed : int
        Weight seed of the trial.
    epoch, step : () int64
        Number of the epoch, and of the step within the epoch.
    rescaled : bool
        Whether kept values are divided by (1 - rate).

    Returns
    -------
    list of (batch_size, width) float32 or None
        Per layer: 0 for dropped values, 1 or 1 / (1 - rate) for kept values; None if the rate is 0.
    """
    sizes = [batch_size * width if rate else 0 for rate, width in zip(rates, widths, strict=True)]
    if not any(sizes):
        return [None] * len(sizes)
    drawn = tf.random.stateless_uniform(
        (math.ceil(sum(sizes) / 2),),
        tf.stack([tf.constant(weight_seed, tf.int64), epoch * (1 << 32) + step]),
        minval=None,
        maxval=None,
        dtype=tf.uint32,
        alg="philox",  # the same bits on every device
    )
    levels = tf.reshape(tf.bitcast(drawn, tf.uint16), [-1])
    factors: list[tf.Tensor | None] = []
    begin = 0
    for rate, width, size in zip(rates, widths, sizes, strict=True):
        if not size:
            factors.append(None)
            continue
        threshold = round(rate * LEVELS)
        kept = tf.cast(levels[begin : begin + size] >= threshold, tf.float32)
        scale = LEVELS / (LEVELS - threshold) if rescaled else 1.0
        factors.append(tf.reshape(kept * scale, (batch_size, width)))
        begin += size
    return factors

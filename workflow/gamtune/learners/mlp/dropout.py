"""Dropout masks that depend on weight seed, epoch and step alone, so a continued training has those of an unbroken one.

Source: Srivastava et al. 2014; Keras scales up what is kept in training, H2O scales the outputs down when it scores.
"""

import math
from collections.abc import Sequence

import tensorflow as tf

LEVELS = 1 << 16  # two masks from each 32 random bits: drawing them costs more than using them


def dropout_factors(
    rates: Sequence[float],
    widths: Sequence[int],
    batch_size: int,
    weight_seed: int,
    epoch: tf.Tensor,
    step: tf.Tensor,
    rescaled: bool = True,
) -> list[tf.Tensor | None]:
    """What the inputs and each hidden layer's outputs are multiplied by in one step.

    Parameters
    ----------
    rates : sequence of float
        Share dropped: of the inputs, then of each hidden layer; rounded to 1/65536.
    widths : sequence of int
        Neurons of the same layers.
    batch_size : int
        Rows.
    weight_seed : int
        Seed of the training.
    epoch, step : () int64
        Which step this is.
    rescaled : bool
        Whether what is kept is divided by the share kept.

    Returns
    -------
    list of (batch_size, width) float32 or None
        0 where dropped, 1 or 1 / share kept elsewhere; None where nothing is dropped.
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

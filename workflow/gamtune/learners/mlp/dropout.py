"""Dropout masks that depend on weight seed, epoch and step only, so that a resumed trial has the same masks.

Source: Srivastava et al. 2014. Keras scales up the kept values in training; H2O scales down the outputs in scoring.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import tensorflow as tf

LEVELS = 1 << 16  # 16 random bits per element, since drawing random bits takes more time than applying the masks


def _threshold(rate: float) -> int:
    """Return the number of levels at which a value is dropped."""
    return min(round(rate * LEVELS), LEVELS - 1)


class Rates(NamedTuple):
    """The dropout rates of a trial, rounded to multiples of 1/65536.

    Attributes
    ----------
    last_dropped : (layers,) uint16
        The largest of 65536 equally frequent random levels at which a value is dropped; 0 for layers without dropout.
    scales : (layers,) float32
        The factor of kept values.
    """

    last_dropped: tf.Tensor
    scales: tf.Tensor

    @classmethod
    def of(cls, rates: Sequence[float], rescaled: bool) -> "Rates":
        """Return the rates of the inputs and of each hidden layer.

        Parameters
        ----------
        rates : sequence of float
            Dropout rates.
        rescaled : bool
            Whether kept values are divided by (1 - rate).
        """
        thresholds = [_threshold(rate) for rate in rates]
        scales = [LEVELS / (LEVELS - threshold) if rescaled else 1.0 for threshold in thresholds]
        last_dropped = np.array([max(threshold - 1, 0) for threshold in thresholds], np.uint16)
        return cls(tf.constant(last_dropped), tf.constant(scales, tf.float32))


@dataclass(frozen=True)
class Dropout:
    """The layers with dropout; trials with other rates share it.

    Attributes
    ----------
    dropped : tuple of bool
        Whether the inputs and the outputs of each hidden layer have dropout.
    """

    dropped: tuple[bool, ...]

    @classmethod
    def of(cls, rates: Sequence[float]) -> "Dropout":
        """Return the layers whose rates, rounded to multiples of 1/65536, are not 0."""
        return cls(tuple(_threshold(rate) > 0 for rate in rates))

    def masks(self, widths: Sequence[tf.Tensor], batch_size: tf.Tensor, rates: Rates) -> "Masks":
        """Return the masks of a trial, whose sizes and rates are computed once per epoch.

        Parameters
        ----------
        widths : sequence of () int64
            Number of inputs and of neurons per hidden layer.
        batch_size : () int64
            Number of samples.
        rates : Rates
            Rates of all layers.
        """
        sizes = [batch_size * width for width, dropped in zip(widths, self.dropped, strict=True) if dropped]
        total = tf.add_n([*sizes, tf.constant(0, tf.int64)])
        drawn = (total + 1) // 2  # numbers of 32 bits
        shapes = [tf.stack([batch_size, width]) for width in widths]
        by_layer = Rates(*(tf.unstack(values, num=len(self.dropped)) for values in rates))
        return Masks(self.dropped, tf.expand_dims(drawn, 0), tf.stack([*sizes, 2 * drawn - total]), shapes, by_layer)


@dataclass(frozen=True)
class Masks:
    """The masks of a trial; see `Dropout.masks`.

    Attributes
    ----------
    dropped : tuple of bool
        Whether the layers have dropout.
    drawn : (1,) int64
        Number of 32-bit random numbers per step.
    sizes : (layers + 1,) int64
        Numbers of 16-bit levels of each layer with dropout, and of those that are not used.
    shapes : list of (2,) int64
        Shapes of the masks.
    rates : Rates
        Rates of all layers, as lists of scalars.
    """

    dropped: tuple[bool, ...]
    drawn: tf.Tensor
    sizes: tf.Tensor
    shapes: Sequence[tf.Tensor]
    rates: Rates

    def factors(self, weight_seed: tf.Tensor, epoch: tf.Tensor, step: tf.Tensor) -> list[tf.Tensor | None]:
        """Return the factors of the inputs and of the outputs of each hidden layer in one step.

        Parameters
        ----------
        weight_seed, epoch, step : () int64
            Weight seed of the trial, number of the epoch, and of the step within the epoch.

        Returns
        -------
        list of (batch_size, width) float32 or None
            Per layer: 0 for dropped values, and the factor of kept values; None without dropout.
        """
        if not any(self.dropped):
            return [None] * len(self.dropped)
        drawn = tf.random.stateless_uniform(
            self.drawn,
            tf.stack([weight_seed, epoch * (1 << 32) + step]),
            minval=None,
            maxval=None,
            dtype=tf.uint32,
            alg="philox",  # the same bits on every device
        )
        levels = iter(tf.split(tf.reshape(tf.bitcast(drawn, tf.uint16), [-1]), self.sizes, num=sum(self.dropped) + 1))
        factors: list[tf.Tensor | None] = []
        for layer, dropped in enumerate(self.dropped):
            if not dropped:
                factors.append(None)
                continue
            kept = tf.cast(next(levels) > self.rates.last_dropped[layer], tf.float32)
            factors.append(tf.reshape(kept * self.rates.scales[layer], self.shapes[layer]))
        return factors

"""Objectives: the function that training minimises, per sample, and the metrics of each epoch."""

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from gamtune.data.arrays import Prepared
from gamtune.learners.failures import ImpossibleError
from gamtune.learners.mlp.tensors import shared_tensor


class Objective(Protocol):
    """Losses and metrics of a task, for n samples. Objectives are equal if their operations are equal.

    Attributes
    ----------
    metrics : tuple of str
        Names of the metrics. The first one is used for early stopping; all but the last are also computed for the
        training samples.
    """

    metrics: ClassVar[tuple[str, ...]]

    def scales(self, data: Prepared) -> tuple[float, ...]:
        """Return the factors from the means of the metrics to the units of the data."""

    def targets(self, y: npt.NDArray[Any], data: Prepared) -> tf.Tensor:
        """Return the targets of the raw outputs, (n,)."""

    def losses(self, targets: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        """Return the losses that the metrics are computed from, (n,) float32."""

    def minimised(self, losses: tf.Tensor, outputs: tf.Tensor, label_smoothing: tf.Tensor) -> tf.Tensor:
        """Return the values that training minimises, (n,) float32: the losses, or a modification of them.

        Parameters
        ----------
        losses : (n,) float32
            The losses.
        outputs : (n, outputs) float32
            Raw outputs of the network.
        label_smoothing : () float32
            The setting of the trial.
        """

    def training_sums(self, losses: tf.Tensor) -> list[tf.Tensor]:
        """Return the sums of the metrics over the samples of a step, without the last metric."""

    def sums(self, losses: tf.Tensor, targets: tf.Tensor, outputs: tf.Tensor) -> list[tf.Tensor]:
        """Return the sums of all metrics over the samples."""


@dataclass(frozen=True)
class Classification:
    """Log loss, H2O's squared error (the square of 1 minus the probability of the true class), and accuracy.

    Attributes
    ----------
    smoothed : bool
        Whether labels are smoothed: a share of each label, ``label_smoothing``, is then distributed equally over all
        classes in the minimised cross-entropy, as in Keras (Szegedy et al. 2016, Rethinking the Inception Architecture,
        section 7). The metrics are computed with the original labels.
    """

    smoothed: bool = False
    metrics: ClassVar[tuple[str, ...]] = ("logloss", "mse", "accuracy")

    def scales(self, data: Prepared) -> tuple[float, ...]:
        """Return factors of 1."""
        return 1.0, 1.0, 1.0

    def targets(self, y: npt.NDArray[Any], data: Prepared) -> tf.Tensor:
        """Return the indices of the classes."""
        return shared_tensor(y)

    def losses(self, targets: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        """Return minus the logarithm of the probability of the true class."""
        return tf.nn.sparse_softmax_cross_entropy_with_logits(targets, outputs)

    def minimised(self, losses: tf.Tensor, outputs: tf.Tensor, label_smoothing: tf.Tensor) -> tf.Tensor:
        """Return the log loss of the labels, which may be smoothed."""
        if not self.smoothed:
            return losses
        uniform = -tf.reduce_mean(tf.nn.log_softmax(outputs), 1)
        return (1 - label_smoothing) * losses + label_smoothing * uniform

    def training_sums(self, losses: tf.Tensor) -> list[tf.Tensor]:
        """Return the sums of log loss and squared error."""
        return [tf.reduce_sum(losses), tf.reduce_sum(tf.square(tf.math.expm1(-losses)))]

    def sums(self, losses: tf.Tensor, targets: tf.Tensor, outputs: tf.Tensor) -> list[tf.Tensor]:
        """Return the sums of log loss and squared error, and the number of correct predictions."""
        hits = tf.cast(tf.argmax(outputs, 1, tf.int32) == targets, tf.float32)
        return [*self.training_sums(losses), tf.reduce_sum(hits)]


@dataclass(frozen=True)
class Regression:
    """Squared and absolute error of the standardised target.

    The graph computes in float32, in which the square of the standard deviation of a target may overflow or underflow,
    so the loop applies the scales to the results in float64.
    """

    metrics: ClassVar[tuple[str, ...]] = ("mse", "mae")

    def scales(self, data: Prepared) -> tuple[float, ...]:
        """Return the square of the standard deviation of the target, and the standard deviation."""
        _, sd = data.target_scale
        return sd**2, sd

    def targets(self, y: npt.NDArray[Any], data: Prepared) -> tf.Tensor:
        """Return the standardised target."""
        mean, sd = data.target_scale
        return tf.constant(((y - mean) / sd).astype(np.float32))

    def losses(self, targets: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        """Return the squared errors of the standardised target."""
        return tf.square(outputs[:, 0] - targets)

    def minimised(self, losses: tf.Tensor, outputs: tf.Tensor, label_smoothing: tf.Tensor) -> tf.Tensor:
        """Return the squared errors."""
        return losses

    def training_sums(self, losses: tf.Tensor) -> list[tf.Tensor]:
        """Return the sum of the squared errors."""
        return [tf.reduce_sum(losses)]

    def sums(self, losses: tf.Tensor, targets: tf.Tensor, outputs: tf.Tensor) -> list[tf.Tensor]:
        """Return the sums of the squared and the absolute errors."""
        return [*self.training_sums(losses), tf.reduce_sum(tf.abs(outputs[:, 0] - targets))]


def objective_of(data: Prepared, label_smoothing: float) -> Objective:
    """Return the objective of the task of a data set.

    Raises
    ------
    ImpossibleError
        If the task is a regression and ``label_smoothing`` is not 0.
    """
    if data.classes is not None:
        return Classification(label_smoothing > 0)
    if label_smoothing:
        raise ImpossibleError(f"label_smoothing: got {label_smoothing}, expected 0 for a regression")
    return Regression()

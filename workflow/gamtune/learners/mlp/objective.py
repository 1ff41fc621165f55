"""What a training minimises, row by row, and what it tells of each epoch."""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from gamtune.data.arrays import Prepared
from gamtune.learners.failures import ImpossibleError
from gamtune.learners.mlp.tensors import shared_tensor


class Objective(Protocol):
    """Losses and metrics of a task.

    ``figures`` names the sums that `sums` returns: the first decides when to stop, all but the last are computed for
    the training samples too. ``scales`` are the factors that turn their means into the units of the data.
    """

    figures: tuple[str, ...]
    scales: tuple[float, ...]

    def targets(self, y: npt.NDArray[Any]) -> tf.Tensor:
        """(n,) what the raw outputs are compared with."""

    def losses(self, targets: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        """(n,) float32 what the figures are made of."""

    def minimised(self, losses: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        """(n,) float32 what training lowers: the losses, or something near them."""

    def training_sums(self, losses: tf.Tensor) -> list[tf.Tensor]:
        """Sums over the rows of a step, from their losses."""

    def sums(self, losses: tf.Tensor, targets: tf.Tensor, outputs: tf.Tensor) -> list[tf.Tensor]:
        """Sums of all figures over some rows."""


class Classification:
    """Logloss; H2O's squared error, (1 - probability of the true class) squared; accuracy.

    Parameters
    ----------
    label_smoothing : float
        What is minimised is the cross-entropy with labels of which this share is spread over all classes alike, as
        Keras' ``label_smoothing`` (Szegedy et al. 2016, Rethinking the Inception Architecture, section 7). The figures
        are those of the labels as they are.
    """

    figures: tuple[str, ...] = ("logloss", "mse", "accuracy")
    scales: tuple[float, ...] = (1.0, 1.0, 1.0)

    def __init__(self, label_smoothing: float = 0.0) -> None:
        self.label_smoothing = label_smoothing

    def targets(self, y: npt.NDArray[Any]) -> tf.Tensor:
        """Indices of the classes."""
        return shared_tensor(y)

    def losses(self, targets: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        """Minus the logarithm of the true class' probability."""
        return tf.nn.sparse_softmax_cross_entropy_with_logits(targets, outputs)

    def minimised(self, losses: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        """The logloss, or that of the smoothed labels."""
        if not self.label_smoothing:
            return losses
        of_any_class = -tf.reduce_mean(tf.nn.log_softmax(outputs), 1)
        return (1 - self.label_smoothing) * losses + self.label_smoothing * of_any_class

    def training_sums(self, losses: tf.Tensor) -> list[tf.Tensor]:
        """Logloss and squared error."""
        return [tf.reduce_sum(losses), tf.reduce_sum(tf.math.expm1(-losses) ** 2)]

    def sums(self, losses: tf.Tensor, targets: tf.Tensor, outputs: tf.Tensor) -> list[tf.Tensor]:
        """The same and the rows that are right."""
        hits = tf.cast(tf.argmax(outputs, 1, tf.int32) == targets, tf.float32)
        return [*self.training_sums(losses), tf.reduce_sum(hits)]


class Regression:
    """Squared and absolute error of the standardised target, which the network learns.

    The graph computes in float32, where the square of a target's standard deviation may overflow or underflow, so the
    loop applies ``scales`` to its results in float64.

    Parameters
    ----------
    mean, sd : float
        Of the target in the training samples.
    """

    figures: tuple[str, ...] = ("mse", "mae")

    def __init__(self, mean: float, sd: float) -> None:
        self.mean, self.sd = mean, sd
        self.scales: tuple[float, ...] = (sd**2, sd)

    def targets(self, y: npt.NDArray[Any]) -> tf.Tensor:
        """Standardised values."""
        return tf.constant(((y - self.mean) / self.sd).astype(np.float32))

    def losses(self, targets: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        """Squared errors of the standardised values."""
        return (outputs[:, 0] - targets) ** 2

    def minimised(self, losses: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        """The squared errors themselves."""
        return losses

    def training_sums(self, losses: tf.Tensor) -> list[tf.Tensor]:
        """Squared error."""
        return [tf.reduce_sum(losses)]

    def sums(self, losses: tf.Tensor, targets: tf.Tensor, outputs: tf.Tensor) -> list[tf.Tensor]:
        """The same and the absolute error."""
        return [*self.training_sums(losses), tf.reduce_sum(tf.abs(outputs[:, 0] - targets))]


def objective_of(data: Prepared, label_smoothing: float) -> Objective:
    """The objective of a data set's task.

    Raises
    ------
    ImpossibleError
        If the labels of a regression are to be smoothed.
    """
    if data.classes is not None:
        return Classification(label_smoothing)
    if label_smoothing:
        raise ImpossibleError(f"label_smoothing: got {label_smoothing}, but a regression has no classes to smooth")
    return Regression(*data.target_scale)

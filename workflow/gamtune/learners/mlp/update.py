"""The protocol of optimizers, and functions that they share."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import tensorflow as tf

from gamtune.learners.mlp.gradients import Gradients
from gamtune.spec import Spec

Numbers = Mapping[str, tf.Tensor]
Variables = Sequence[tf.Variable]


class Optimizer(Protocol):
    """An update of the weights, as part of an epoch graph that trials with other numbers share.

    Optimizers are equal if their operations are equal: an attribute states whether an operation exists, for example
    that of the momentum, and `numbers` gives the values that the operations use.
    """

    @property
    def slots(self) -> int:
        """Number of variables of the optimizer's state per weight variable; their initial values are 0."""

    def numbers(self, spec: Spec) -> dict[str, float]:
        """Return the values for `update` by name: the learning rate, the penalties and others."""

    def update(
        self,
        weights: Variables,
        slots: Variables,
        gradients: Gradients,
        numbers: Numbers,
        step: tf.Tensor,
        seen: tf.Tensor,
    ) -> None:
        """Update the weights with the gradients of the mean loss and those of the penalties.

        Parameters
        ----------
        weights : sequence of variables
            Kernel and bias of each layer, in the order of the layers.
        slots : sequence of variables
            The state: one variable per weight variable, then the next one per weight variable, and so on.
        gradients : Gradients
            Gradients of the loss over a batch.
        numbers : dict of () float32
            The values of `numbers`.
        step, seen : () int64
            Number of the step, from 1, and number of samples before it.
        """


def step_size(annealed: bool, numbers: Numbers, seen: tf.Tensor) -> tf.Tensor:
    """Return the learning rate of gradient descent after ``seen`` samples."""
    if not annealed:
        return numbers["learning_rate"]
    return numbers["learning_rate"] / (1 + numbers["rate_annealing"] * tf.cast(seen, tf.float32))

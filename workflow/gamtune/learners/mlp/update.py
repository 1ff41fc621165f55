"""The protocol of optimizers, and functions that they share."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import tensorflow as tf

from gamtune.learners.mlp.gradients import Gradients
from gamtune.spec import Spec

Numbers = Mapping[str, tf.Tensor]
Variables = Sequence[tf.Variable]


class Step(NamedTuple):
    """One step of the training.

    Attributes
    ----------
    weights : sequence of variables
        Kernel and bias of each layer, in the order of the layers.
    slots : sequence of variables
        State of the optimizer: one variable per weight variable, then the next one per weight variable, and so on.
    gradients : Gradients
        Gradients of the loss over a batch.
    numbers : dict of () float32
        The values of `Optimizer.numbers`.
    number, seen : () int64
        Number of the step, from 1, and number of samples before it.
    """

    weights: Variables
    slots: Variables
    gradients: Gradients
    numbers: Numbers
    number: tf.Tensor
    seen: tf.Tensor

    def group(self, number: int) -> Variables:
        """Return the variables of the state with a number, from 0: one per weight variable."""
        return self.slots[number * len(self.weights) : (number + 1) * len(self.weights)]

    def rate(self, annealed: bool) -> tf.Tensor:
        """Return the learning rate of gradient descent."""
        if not annealed:
            return self.numbers["learning_rate"]
        return self.numbers["learning_rate"] / (1 + self.numbers["rate_annealing"] * tf.cast(self.seen, tf.float32))


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

    def update(self, step: Step) -> None:
        """Update the weights with the gradients of the mean loss and those of the penalties."""


def values_of(spec: Spec, *names: str) -> dict[str, float]:
    """Return settings by name; 0 if the trial does not use one."""
    return {name: float(spec.value(name) or 0) for name in names}

"""Types and functions that all optimizers share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import tensorflow as tf

from gamtune.learners.mlp.gradients import Gradients
from gamtune.spec import Spec

# Updates the weights with the gradients of the mean loss, to which it adds those of the penalties. The other arguments,
# () int64, are the number of the step, from 1, and the number of samples before this step.
Step = Callable[[Gradients, tf.Tensor, tf.Tensor], None]
Variables = Sequence[tf.Variable]


@dataclass(frozen=True)
class Update:
    """The update of all weights by an optimizer, and the variables of its state."""

    step: Step
    slots: list[tf.Variable]


def zeros_like(variables: Variables) -> list[tf.Variable]:
    """Return the initial state of an optimizer: one variable of zeros per weight variable."""
    return [tf.Variable(tf.zeros_like(variable), trainable=False) for variable in variables]


def step_size(spec: Spec, seen: tf.Tensor) -> tf.Tensor | float:
    """Return the learning rate of SGD after ``seen`` samples."""
    if not spec.rate_annealing:
        return spec.learning_rate
    return spec.learning_rate / (1 + spec.rate_annealing * tf.cast(seen, tf.float32))

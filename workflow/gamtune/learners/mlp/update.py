"""What all optimizers' updates have in common."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import tensorflow as tf

from gamtune.learners.mlp.gradients import Gradients
from gamtune.spec import Spec

# Changes the weights by the gradients of their mean loss, to which it adds those of the penalties. Two numbers () int64
# say where the training stands: this step's number, from 1, and the rows seen before it.
Step = Callable[[Gradients, tf.Tensor, tf.Tensor], None]
Variables = Sequence[tf.Variable]


@dataclass(frozen=True)
class Update:
    """An optimizer's update of all weights, and its state."""

    step: Step
    slots: list[tf.Variable]


def zeros_like(variables: Variables) -> list[tf.Variable]:
    """The state that an optimizer begins with."""
    return [tf.Variable(tf.zeros_like(variable), trainable=False) for variable in variables]


def step_size(spec: Spec, seen: tf.Tensor) -> tf.Tensor | float:
    """SGD's learning rate after so many rows."""
    if not spec.rate_annealing:
        return spec.learning_rate
    return spec.learning_rate / (1 + spec.rate_annealing * tf.cast(seen, tf.float32))

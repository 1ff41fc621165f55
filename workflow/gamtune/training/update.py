"""The optimizers' updates, by TensorFlow's fused kernels: one operation a weight matrix where Keras needs a dozen.

The formulas are those of Keras' optimizers, to the last few bits: ADADELTA (Zeiler 2012), SGD with momentum, Adam
(Kingma and Ba 2015).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import tensorflow as tf

from gamtune.spec import Spec

# Changes the weights by their gradients; the number () int64 counts the training's steps from 1
Step = Callable[[Sequence[tf.Tensor], tf.Tensor], None]


@dataclass(frozen=True)
class Update:
    """An optimizer's update of all weights, and its state."""

    step: Step
    slots: list[tf.Variable]


def build_update(spec: Spec, variables: Sequence[tf.Variable]) -> Update:
    """The update of the spec's optimizer, its state all zero."""
    if spec.optimizer == "adadelta":
        return _adadelta(spec, variables)
    if spec.optimizer == "adam":
        return _adam(spec, variables)
    return _momentum(spec, variables) if spec.momentum else _sgd(spec, variables)


def _slots(variables: Sequence[tf.Variable]) -> list[tf.Variable]:
    return [tf.Variable(tf.zeros_like(variable), trainable=False) for variable in variables]


def _adadelta(spec: Spec, variables: Sequence[tf.Variable]) -> Update:
    squares, changes = _slots(variables), _slots(variables)

    def update(gradients: Sequence[tf.Tensor], number: tf.Tensor) -> None:
        for variable, square, change, gradient in zip(variables, squares, changes, gradients, strict=True):
            tf.raw_ops.ResourceApplyAdadelta(
                var=variable.handle, accum=square.handle, accum_update=change.handle, grad=gradient,
                lr=spec.learning_rate, rho=spec.rho, epsilon=spec.epsilon,
            )  # fmt: skip

    return Update(update, [*squares, *changes])


def _sgd(spec: Spec, variables: Sequence[tf.Variable]) -> Update:
    def update(gradients: Sequence[tf.Tensor], number: tf.Tensor) -> None:
        for variable, gradient in zip(variables, gradients, strict=True):
            tf.raw_ops.ResourceApplyGradientDescent(var=variable.handle, alpha=spec.learning_rate, delta=gradient)

    return Update(update, [])


def _momentum(spec: Spec, variables: Sequence[tf.Variable]) -> Update:
    velocities = _slots(variables)

    def update(gradients: Sequence[tf.Tensor], number: tf.Tensor) -> None:
        for variable, velocity, gradient in zip(variables, velocities, gradients, strict=True):
            tf.raw_ops.ResourceApplyKerasMomentum(
                var=variable.handle, accum=velocity.handle, grad=gradient,
                lr=spec.learning_rate, momentum=spec.momentum,
            )  # fmt: skip

    return Update(update, velocities)


def _adam(spec: Spec, variables: Sequence[tf.Variable]) -> Update:
    means, squares = _slots(variables), _slots(variables)

    def update(gradients: Sequence[tf.Tensor], number: tf.Tensor) -> None:
        steps = tf.cast(number, tf.float32)
        for variable, mean, square, gradient in zip(variables, means, squares, gradients, strict=True):
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle, m=mean.handle, v=square.handle, grad=gradient,
                lr=spec.learning_rate, beta1=spec.beta_1, beta2=spec.beta_2, epsilon=spec.epsilon,
                beta1_power=spec.beta_1**steps, beta2_power=spec.beta_2**steps,
            )  # fmt: skip

    return Update(update, [*means, *squares])

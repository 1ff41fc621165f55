"""Keras' optimizers with TensorFlow's fused kernels, which need one operation per weight matrix instead of a dozen.

The formulas are those of Keras up to rounding: ADADELTA (Zeiler 2012), SGD with momentum, Adam (Kingma and Ba 2015).
The penalties apply to the kernels, not to the biases.
"""

from collections.abc import Sequence

import tensorflow as tf

from gamtune.learners.mlp.gradients import Gradients
from gamtune.learners.mlp.update import Update, Variables, step_size, zeros_like
from gamtune.spec import Spec


def adadelta(spec: Spec, variables: Variables) -> Update:
    """Return the update of Keras' ``Adadelta``."""
    squares, changes = zeros_like(variables), zeros_like(variables)

    def update(gradients: Gradients, number: tf.Tensor, seen: tf.Tensor) -> None:
        penalised = _penalised(gradients.means, variables, spec)
        for variable, square, change, gradient in zip(variables, squares, changes, penalised, strict=True):
            tf.raw_ops.ResourceApplyAdadelta(
                var=variable.handle, accum=square.handle, accum_update=change.handle, grad=gradient,
                lr=spec.learning_rate, rho=spec.rho, epsilon=spec.epsilon,
            )  # fmt: skip

    return Update(update, [*squares, *changes])


def sgd(spec: Spec, variables: Variables) -> Update:
    """Return the update of Keras' ``SGD``, with momentum if it is greater than 0."""
    velocities = zeros_like(variables) if spec.momentum else []

    def plain(gradients: Gradients, number: tf.Tensor, seen: tf.Tensor) -> None:
        rate = step_size(spec, seen)
        for variable, gradient in zip(variables, _penalised(gradients.means, variables, spec), strict=True):
            tf.raw_ops.ResourceApplyGradientDescent(var=variable.handle, alpha=rate, delta=gradient)

    def with_momentum(gradients: Gradients, number: tf.Tensor, seen: tf.Tensor) -> None:
        rate = step_size(spec, seen)
        penalised = _penalised(gradients.means, variables, spec)
        for variable, velocity, gradient in zip(variables, velocities, penalised, strict=True):
            tf.raw_ops.ResourceApplyKerasMomentum(
                var=variable.handle, accum=velocity.handle, grad=gradient, lr=rate, momentum=spec.momentum
            )

    return Update(with_momentum if spec.momentum else plain, velocities)


def adam(spec: Spec, variables: Variables) -> Update:
    """Return the update of Keras' ``Adam``."""
    means, squares = zeros_like(variables), zeros_like(variables)

    def update(gradients: Gradients, number: tf.Tensor, seen: tf.Tensor) -> None:
        steps = tf.cast(number, tf.float32)
        penalised = _penalised(gradients.means, variables, spec)
        for variable, mean, square, gradient in zip(variables, means, squares, penalised, strict=True):
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle, m=mean.handle, v=square.handle, grad=gradient,
                lr=spec.learning_rate, beta1=spec.beta_1, beta2=spec.beta_2, epsilon=spec.epsilon,
                beta1_power=spec.beta_1**steps, beta2_power=spec.beta_2**steps,
            )  # fmt: skip

    return Update(update, [*means, *squares])


def _penalised(gradients: Sequence[tf.Tensor], variables: Variables, spec: Spec) -> list[tf.Tensor]:
    """Return the gradients plus those of the penalties on the kernels, without differentiating the penalties."""
    penalised = []
    for gradient, variable in zip(gradients, variables, strict=True):
        if spec.l1 and variable.shape.rank == 2:
            gradient += spec.l1 * tf.sign(variable)
        if spec.l2 and variable.shape.rank == 2:
            gradient += 2 * spec.l2 * variable
        penalised.append(gradient)
    return penalised

"""Keras' optimizers with TensorFlow's fused kernels, which need one operation per weight matrix instead of a dozen.

The formulas are those of Keras up to rounding: ADADELTA (Zeiler 2012), SGD with momentum, Adam (Kingma and Ba 2015).
The penalties apply to the kernels, not to the biases.
"""

from dataclasses import dataclass

import tensorflow as tf

from gamtune.learners.mlp.update import Step, values_of
from gamtune.spec import Spec


@dataclass(frozen=True)
class Penalties:
    """Penalties on the kernels, whose gradients are added without differentiating the penalties.

    Attributes
    ----------
    l1, l2 : bool
        Whether the penalty is not 0.
    """

    l1: bool
    l2: bool

    def numbers(self, spec: Spec) -> dict[str, float]:
        """Return the factors of the sign and of the value of a weight."""
        return {"l1": spec.l1, "l2": 2 * spec.l2}

    def added(self, step: Step) -> list[tf.Tensor]:
        """Return the gradients of the loss plus those of the penalties."""
        penalised = []
        for gradient, variable in zip(step.gradients.means, step.weights, strict=True):
            terms = [gradient]
            if variable.shape.rank == 2:
                terms += [step.numbers["l1"] * tf.sign(variable)] if self.l1 else []
                terms += [step.numbers["l2"] * variable] if self.l2 else []
            penalised.append(tf.add_n(terms) if len(terms) > 1 else gradient)
        return penalised


@dataclass(frozen=True)
class Adadelta:
    """The update of Keras' ``Adadelta``."""

    penalties: Penalties
    slots = 2

    @classmethod
    def of(cls, spec: Spec) -> "Adadelta":
        """Return the optimizer of a specification."""
        return cls(Penalties(spec.l1 > 0, spec.l2 > 0))

    def numbers(self, spec: Spec) -> dict[str, float]:
        """Return the values for `update`."""
        values = values_of(spec, "learning_rate", "rho", "epsilon")
        return values | self.penalties.numbers(spec)

    def update(self, step: Step) -> None:
        """Update the weights; see `Optimizer.update`."""
        squares, changes = step.group(0), step.group(1)
        penalised = self.penalties.added(step)
        for variable, square, change, gradient in zip(step.weights, squares, changes, penalised, strict=True):
            tf.raw_ops.ResourceApplyAdadelta(
                var=variable.handle, accum=square.handle, accum_update=change.handle, grad=gradient,
                lr=step.numbers["learning_rate"], rho=step.numbers["rho"], epsilon=step.numbers["epsilon"],
            )  # fmt: skip


@dataclass(frozen=True)
class Sgd:
    """The update of Keras' ``SGD``, with momentum if it is greater than 0."""

    penalties: Penalties
    momentum: bool
    annealed: bool

    @classmethod
    def of(cls, spec: Spec) -> "Sgd":
        """Return the optimizer of a specification."""
        return cls(Penalties(spec.l1 > 0, spec.l2 > 0), bool(spec.momentum), bool(spec.rate_annealing))

    @property
    def slots(self) -> int:
        """One velocity per weight variable if there is momentum."""
        return int(self.momentum)

    def numbers(self, spec: Spec) -> dict[str, float]:
        """Return the values for `update`."""
        values = values_of(spec, "learning_rate", "momentum", "rate_annealing")
        return values | self.penalties.numbers(spec)

    def update(self, step: Step) -> None:
        """Update the weights; see `Optimizer.update`."""
        rate = step.rate(self.annealed)
        penalised = self.penalties.added(step)
        if not self.momentum:
            for variable, gradient in zip(step.weights, penalised, strict=True):
                tf.raw_ops.ResourceApplyGradientDescent(var=variable.handle, alpha=rate, delta=gradient)
            return
        for variable, velocity, gradient in zip(step.weights, step.slots, penalised, strict=True):
            tf.raw_ops.ResourceApplyKerasMomentum(
                var=variable.handle, accum=velocity.handle, grad=gradient, lr=rate, momentum=step.numbers["momentum"]
            )


@dataclass(frozen=True)
class Adam:
    """The update of Keras' ``Adam``."""

    penalties: Penalties
    slots = 2

    @classmethod
    def of(cls, spec: Spec) -> "Adam":
        """Return the optimizer of a specification."""
        return cls(Penalties(spec.l1 > 0, spec.l2 > 0))

    def numbers(self, spec: Spec) -> dict[str, float]:
        """Return the values for `update`."""
        values = values_of(spec, "learning_rate", "beta_1", "beta_2", "epsilon")
        return values | self.penalties.numbers(spec)

    def update(self, step: Step) -> None:
        """Update the weights; see `Optimizer.update`."""
        means, squares, number = step.group(0), step.group(1), tf.cast(step.number, tf.float32)
        penalised = self.penalties.added(step)
        for variable, mean, square, gradient in zip(step.weights, means, squares, penalised, strict=True):
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle, m=mean.handle, v=square.handle, grad=gradient, lr=step.numbers["learning_rate"],
                beta1=step.numbers["beta_1"], beta2=step.numbers["beta_2"], epsilon=step.numbers["epsilon"],
                beta1_power=step.numbers["beta_1"] ** number, beta2_power=step.numbers["beta_2"] ** number,
            )  # fmt: skip

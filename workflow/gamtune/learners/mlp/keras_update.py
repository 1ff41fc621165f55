"""Keras' optimizers with TensorFlow's fused kernels, which need one operation per weight matrix instead of a dozen.

The formulas are those of Keras up to rounding: ADADELTA (Zeiler 2012), SGD with momentum, Adam (Kingma and Ba 2015).
The penalties apply to the kernels, not to the biases.
"""

from dataclasses import dataclass

import tensorflow as tf

from gamtune.learners.mlp.gradients import Gradients
from gamtune.learners.mlp.update import Numbers, Variables, step_size
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

    def added(self, gradients: Gradients, weights: Variables, numbers: Numbers) -> list[tf.Tensor]:
        """Return the gradients of the loss plus those of the penalties."""
        penalised = []
        for gradient, variable in zip(gradients.means, weights, strict=True):
            terms = [gradient]
            if variable.shape.rank == 2:
                terms += [numbers["l1"] * tf.sign(variable)] if self.l1 else []
                terms += [numbers["l2"] * variable] if self.l2 else []
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
        values = {"learning_rate": spec.learning_rate, "rho": float(spec.rho or 0), "epsilon": float(spec.epsilon or 0)}
        return values | self.penalties.numbers(spec)

    def update(
        self,
        weights: Variables,
        slots: Variables,
        gradients: Gradients,
        numbers: Numbers,
        step: tf.Tensor,
        seen: tf.Tensor,
    ) -> None:
        """Update the weights; see `Optimizer.update`."""
        squares, changes = slots[: len(weights)], slots[len(weights) :]
        penalised = self.penalties.added(gradients, weights, numbers)
        for variable, square, change, gradient in zip(weights, squares, changes, penalised, strict=True):
            tf.raw_ops.ResourceApplyAdadelta(
                var=variable.handle, accum=square.handle, accum_update=change.handle, grad=gradient,
                lr=numbers["learning_rate"], rho=numbers["rho"], epsilon=numbers["epsilon"],
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
        values = {name: float(spec.value(name) or 0) for name in ("learning_rate", "momentum", "rate_annealing")}
        return values | self.penalties.numbers(spec)

    def update(
        self,
        weights: Variables,
        slots: Variables,
        gradients: Gradients,
        numbers: Numbers,
        step: tf.Tensor,
        seen: tf.Tensor,
    ) -> None:
        """Update the weights; see `Optimizer.update`."""
        rate = step_size(self.annealed, numbers, seen)
        penalised = self.penalties.added(gradients, weights, numbers)
        if not self.momentum:
            for variable, gradient in zip(weights, penalised, strict=True):
                tf.raw_ops.ResourceApplyGradientDescent(var=variable.handle, alpha=rate, delta=gradient)
            return
        for variable, velocity, gradient in zip(weights, slots, penalised, strict=True):
            tf.raw_ops.ResourceApplyKerasMomentum(
                var=variable.handle, accum=velocity.handle, grad=gradient, lr=rate, momentum=numbers["momentum"]
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
        values = {name: float(spec.value(name) or 0) for name in ("learning_rate", "beta_1", "beta_2", "epsilon")}
        return values | self.penalties.numbers(spec)

    def update(
        self,
        weights: Variables,
        slots: Variables,
        gradients: Gradients,
        numbers: Numbers,
        step: tf.Tensor,
        seen: tf.Tensor,
    ) -> None:
        """Update the weights; see `Optimizer.update`."""
        means, squares, steps = slots[: len(weights)], slots[len(weights) :], tf.cast(step, tf.float32)
        penalised = self.penalties.added(gradients, weights, numbers)
        for variable, mean, square, gradient in zip(weights, means, squares, penalised, strict=True):
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle, m=mean.handle, v=square.handle, grad=gradient, lr=numbers["learning_rate"],
                beta1=numbers["beta_1"], beta2=numbers["beta_2"], epsilon=numbers["epsilon"],
                beta1_power=numbers["beta_1"] ** steps, beta2_power=numbers["beta_2"] ** steps,
            )  # fmt: skip

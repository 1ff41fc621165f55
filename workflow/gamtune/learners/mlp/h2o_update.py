"""H2O's updates (hex.deeplearning.Neurons, rel-3.46), generalised from H2O's batches of one sample to any batch size.

The penalties, l1 and half of l2, apply to kernels and biases. A sample does not change a weight whose input or unit is
0, including its penalties, averages and velocity (H2O's fast mode, which is the default). In a batch, the penalties are
therefore multiplied by the share of samples that reach a weight, which equals the mean of the steps of the samples.

Differences from H2O: there, several threads change the weights without synchronisation (Hogwild); ADADELTA uses an
approximate square root (error up to 5 %); the annealing of SGD counts the samples before the current pass of a thread
over its samples, not before the current sample; and a dropped tanh, elu or maxout unit is still trained.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import tensorflow as tf

from gamtune.learners.mlp.update import Step, values_of
from gamtune.spec import Spec

square_root = tf.sqrt


@dataclass(frozen=True)
class H2OPenalties:
    """Penalties on kernels and biases, of the weights that a sample reaches.

    Attributes
    ----------
    l1, l2 : bool
        Whether the penalty is not 0.
    """

    l1: bool
    l2: bool

    def numbers(self, spec: Spec) -> dict[str, float]:
        """Return the factors of the sign and of the value of a weight."""
        return {"l1": spec.l1, "l2": spec.l2}

    def added(self, step: Step) -> Iterator[tuple[tf.Variable, tf.Tensor, tf.Tensor]]:
        """Yield each variable, its gradient with penalties, and whether a sample of the batch reaches each weight."""
        assert step.gradients.reached is not None  # the loop computes it for H2O's updates
        for variable, gradient, reached in zip(step.weights, step.gradients.means, step.gradients.reached, strict=True):
            if self.l1:
                gradient += reached * (step.numbers["l1"] * tf.sign(variable))
            if self.l2:
                gradient += reached * (step.numbers["l2"] * variable)
            yield variable, gradient, reached > 0


@dataclass(frozen=True)
class H2OAdadelta:
    """H2O's ADADELTA, in which a bias uses the mean squared gradient of the incoming weights of its unit."""

    penalties: H2OPenalties
    slots = 2

    @classmethod
    def of(cls, spec: Spec) -> "H2OAdadelta":
        """Return the optimizer of a specification."""
        return cls(H2OPenalties(spec.l1 > 0, spec.l2 > 0))

    def numbers(self, spec: Spec) -> dict[str, float]:
        """Return the values for `update`."""
        values = values_of(spec, "learning_rate", "rho", "epsilon")
        values["new"] = 1 - values["rho"]
        return values | self.penalties.numbers(spec)

    def update(self, step: Step) -> None:
        """Update the weights; see `Optimizer.update`."""
        squares, changes = step.group(0), step.group(1)
        rho, new, epsilon = step.numbers["rho"], step.numbers["new"], step.numbers["epsilon"]
        incoming = tf.constant(0.0)
        penalised = self.penalties.added(step)
        for (variable, gradient, active), square, change in zip(penalised, squares, changes, strict=True):
            if variable.shape.rank == 2:
                magnitude = tf.square(gradient)
                incoming = tf.reduce_mean(magnitude, axis=0)
            else:
                magnitude = incoming
            mean_square = rho * square + new * magnitude
            rate = step.numbers["learning_rate"] * square_root((change + epsilon) / (mean_square + epsilon))
            mean_change = rho * change + new * tf.square(rate) * magnitude
            square.assign(tf.where(active, mean_square, square))
            change.assign(tf.where(active, mean_change, change))
            variable.assign_sub(rate * gradient)


@dataclass(frozen=True)
class H2OSgd:
    """H2O's gradient descent, whose step size is the annealed learning rate times (1 - momentum)."""

    penalties: H2OPenalties
    momentum: bool
    annealed: bool

    @classmethod
    def of(cls, spec: Spec) -> "H2OSgd":
        """Return the optimizer of a specification."""
        return cls(H2OPenalties(spec.l1 > 0, spec.l2 > 0), bool(spec.momentum), bool(spec.rate_annealing))

    @property
    def slots(self) -> int:
        """One velocity per weight variable if there is momentum."""
        return int(self.momentum)

    def numbers(self, spec: Spec) -> dict[str, float]:
        """Return the values for `update`."""
        values = values_of(spec, "learning_rate", "momentum", "rate_annealing")
        values["learning_rate"] *= 1 - values["momentum"]
        return values | self.penalties.numbers(spec)

    def update(self, step: Step) -> None:
        """Update the weights; see `Optimizer.update`."""
        rate = step.rate(self.annealed)
        for index, (variable, gradient, active) in enumerate(self.penalties.added(step)):
            if self.momentum:
                velocity = step.slots[index]
                velocity.assign(tf.where(active, step.numbers["momentum"] * velocity + gradient, velocity))
                gradient = tf.where(active, velocity, 0.0)
            variable.assign_sub(rate * gradient)

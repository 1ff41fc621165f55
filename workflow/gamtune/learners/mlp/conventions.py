"""The conventions of Keras and of H2O for initial weights, dropout, penalties and updates."""

from collections.abc import Callable
from typing import ClassVar, Protocol

import keras

from gamtune.learners.mlp.h2o_update import H2OAdadelta, H2OSgd
from gamtune.learners.mlp.keras_update import Adadelta, Adam, Sgd
from gamtune.learners.mlp.update import Optimizer
from gamtune.spec import Spec

Regularizers = tuple[keras.Regularizer | None, keras.Regularizer | None]


class Conventions(Protocol):
    """Conventions of a library for the same network.

    Attributes
    ----------
    rescaled : bool
        Whether dropout divides the kept values by (1 - rate) in training. Otherwise the outputs of hidden layers are
        multiplied by it in scoring.
    with_reach : bool
        Whether the optimizers need the share of samples that reach each weight.
    """

    rescaled: bool
    with_reach: bool

    def initial_bias(self, activation: str, layer: int) -> float:
        """Return the initial bias of a hidden layer, which is counted from 1."""

    def output_initializer(self, seed: int) -> keras.Initializer:
        """Return the initializer of the kernel of the output layer of a classifier."""

    def regularizers(self, l1: float, l2: float) -> Regularizers:
        """Return the penalties on kernels and on biases."""

    def optimizer(self, spec: Spec) -> Optimizer:
        """Return the optimizer of a specification."""


class KerasConventions:
    """Glorot-uniform weights, biases of 0, dropout that rescales the kept values, and penalties on the kernels."""

    rescaled, with_reach = True, False
    optimizers: ClassVar[dict[str, Callable[[Spec], Optimizer]]] = {
        "adadelta": Adadelta.of,
        "sgd": Sgd.of,
        "adam": Adam.of,
    }

    def initial_bias(self, activation: str, layer: int) -> float:
        """Return 0."""
        return 0.0

    def output_initializer(self, seed: int) -> keras.Initializer:
        """Return the initializer of all layers."""
        return keras.initializers.GlorotUniform(seed=seed)

    def regularizers(self, l1: float, l2: float) -> Regularizers:
        """Return the penalties of the kernels."""
        return keras.regularizers.L1L2(l1, l2) if l1 or l2 else None, None

    def optimizer(self, spec: Spec) -> Optimizer:
        """Return the optimizer of a specification."""
        return self.optimizers[spec.optimizer](spec)


class H2OConventions:
    """The conventions of hex.deeplearning, rel-3.46.

    The initial weights of the output layer of a classifier are four times as wide, and the initial biases of hidden
    relu and maxout layers are 0.5 in the first layer and 1 in the others. Dropout does not rescale in training, but the
    hidden outputs are scaled in scoring. The penalties, l1 and half of l2, apply to kernels and biases.
    """

    rescaled, with_reach = False, True
    optimizers: ClassVar[dict[str, Callable[[Spec], Optimizer]]] = {"adadelta": H2OAdadelta.of, "sgd": H2OSgd.of}

    def initial_bias(self, activation: str, layer: int) -> float:
        """Return 0, 0.5 or 1."""
        if activation not in ("relu", "maxout"):
            return 0.0
        return 0.5 if layer == 1 else 1.0

    def output_initializer(self, seed: int) -> keras.Initializer:
        """Return a uniform initializer."""
        return keras.initializers.VarianceScaling(16, "fan_avg", "uniform", seed=seed)

    def regularizers(self, l1: float, l2: float) -> Regularizers:
        """Return the same penalty for kernels and biases."""
        if not (l1 or l2):
            return None, None
        # Two objects, because Keras writes the memory address of a shared object into the file of the model
        return keras.regularizers.L1L2(l1, l2 / 2), keras.regularizers.L1L2(l1, l2 / 2)

    def optimizer(self, spec: Spec) -> Optimizer:
        """Return the optimizer of a specification."""
        return self.optimizers[spec.optimizer](spec)


CONVENTIONS: dict[str, Conventions] = {"keras": KerasConventions(), "h2o": H2OConventions()}

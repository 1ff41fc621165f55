"""The architecture of a network, and its values for a batch, computed from a list of weights."""

from collections.abc import Sequence
from dataclasses import dataclass

import tensorflow as tf

from gamtune.spec import Spec

MAXOUT_PIECES = 2  # as in H2O and in Goodfellow et al. 2013 for dense layers
ACTIVATIONS = {"relu": tf.nn.relu, "tanh": tf.nn.tanh, "elu": tf.nn.elu}
Factors = Sequence[tf.Tensor | None]


@dataclass(frozen=True)
class Flow:
    """The values in a network for n samples.

    Attributes
    ----------
    outputs : (n, outputs) float32
        Raw outputs.
    inputs, sums : list of (n, width) float32
        Inputs and weighted sums of each dense layer.
    """

    outputs: tf.Tensor
    inputs: list[tf.Tensor]
    sums: list[tf.Tensor]


@dataclass(frozen=True)
class Layers:
    """The layers of a network of any widths.

    Attributes
    ----------
    depth : int
        Number of hidden layers.
    activation : str
        Activation of the hidden layers.
    """

    depth: int
    activation: str

    @classmethod
    def of(cls, spec: Spec) -> "Layers":
        """Return the layers of a specification."""
        return cls(spec.depth, spec.activation)

    @property
    def pieces(self) -> int:
        """Number of dense layers per hidden layer."""
        return MAXOUT_PIECES if self.activation == "maxout" else 1

    @property
    def dense(self) -> int:
        """Number of dense layers."""
        return self.depth * self.pieces + 1

    def forward(self, weights: Sequence[tf.Tensor], x: tf.Tensor, factors: Factors) -> Flow:
        """Return the values of the network, in fewer and cheaper operations than a call of a Keras model.

        Parameters
        ----------
        weights : sequence of float32
            Kernel and bias of each dense layer.
        x : (n, inputs) float32
            Standardised samples.
        factors : sequence of (n, width) float32, () float32 or None
            Factors of the inputs and of the outputs of each hidden layer; None is a factor of 1.
        """
        inputs, sums = [], []
        values = _times(x, factors[0])
        pairs = list(zip(weights[::2], weights[1::2], strict=True))
        for layer, factor in enumerate(factors[1:]):
            pieces = pairs[layer * self.pieces : (layer + 1) * self.pieces]
            inputs += [values] * len(pieces)
            affine = [tf.nn.bias_add(tf.matmul(values, kernel), bias) for kernel, bias in pieces]
            sums += affine
            values = tf.maximum(*affine) if len(affine) > 1 else ACTIVATIONS[self.activation](affine[0])
            values = _times(values, factor)
        outputs = tf.nn.bias_add(tf.matmul(values, pairs[-1][0]), pairs[-1][1])
        return Flow(outputs, [*inputs, values], [*sums, outputs])


def _times(values: tf.Tensor, factor: tf.Tensor | None) -> tf.Tensor:
    return values if factor is None else values * factor

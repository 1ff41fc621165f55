"""The architecture of a network, and its values for a batch, computed from a list of weights."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import tensorflow as tf

from gamtune.spec import Spec

MAXOUT_PIECES = 2  # as in H2O and in Goodfellow et al. 2013 for dense layers
Factors = Sequence[tf.Tensor | None]


class Activation(NamedTuple):
    """An activation, and the gradient with respect to its input, given the gradient and the values of its output."""

    value: Callable[[tf.Tensor], tf.Tensor]
    gradient: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


ACTIVATIONS = {
    "relu": Activation(tf.nn.relu, lambda slope, values: tf.raw_ops.ReluGrad(gradients=slope, features=values)),
    "tanh": Activation(tf.nn.tanh, lambda slope, values: tf.raw_ops.TanhGrad(y=values, dy=slope)),
    "elu": Activation(tf.nn.elu, lambda slope, values: tf.raw_ops.EluGrad(gradients=slope, outputs=values)),
}


@dataclass(frozen=True)
class Flow:
    """The values in a network for n samples.

    Attributes
    ----------
    outputs : (n, outputs) float32
        Raw outputs.
    inputs : list of (n, width) float32
        Inputs of each hidden layer and of the output layer.
    sums : list of list of (n, width) float32
        Weighted sums of the dense layers of each hidden layer.
    values : list of (n, width) float32
        Outputs of each hidden layer, before they are multiplied by the factors.
    """

    outputs: tf.Tensor
    inputs: list[tf.Tensor]
    sums: list[list[tf.Tensor]]
    values: list[tf.Tensor]


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
        flow, pairs = Flow(x, [_times(x, factors[0])], [], []), self._pairs(weights)
        for pieces, factor in zip(pairs[:-1], factors[1:], strict=True):
            sums = [tf.nn.bias_add(tf.matmul(flow.inputs[-1], kernel), bias) for kernel, bias in pieces]
            values = tf.maximum(*sums) if len(sums) > 1 else ACTIVATIONS[self.activation].value(sums[0])
            flow.sums.append(sums)
            flow.values.append(values)
            flow.inputs.append(_times(values, factor))
        ((kernel, bias),) = pairs[-1]
        return replace(flow, outputs=tf.nn.bias_add(tf.matmul(flow.inputs[-1], kernel), bias))

    def backward(
        self, weights: Sequence[tf.Tensor], flow: Flow, factors: Factors, slope: tf.Tensor
    ) -> tuple[list[tf.Tensor], list[tuple[tf.Tensor, tf.Tensor]]]:
        """Return the gradients, given that with respect to the outputs.

        ``tf.GradientTape`` gives the same values in more operations, since it does not know that factors and values
        have equal shapes.

        Parameters
        ----------
        weights, flow, factors
            Arguments and result of `forward`.
        slope : (n, outputs) float32
            Gradient with respect to the outputs.

        Returns
        -------
        gradients : list of float32
            Gradient with respect to each of the weights.
        reaches : list of ((n, inputs) float32, (n, width) float32)
            Inputs of each dense layer, and the gradient with respect to its weighted sums.
        """
        gradients: list[tf.Tensor] = []
        reaches: list[tuple[tf.Tensor, tf.Tensor]] = []
        pairs, slopes = self._pairs(weights), [slope]
        for layer in reversed(range(len(pairs))):
            inputs = flow.inputs[layer]
            products = [
                (tf.matmul(inputs, part, transpose_a=True), tf.raw_ops.BiasAddGrad(out_backprop=part))
                for part in slopes
            ]
            gradients[:0] = [gradient for pair in products for gradient in pair]
            reaches[:0] = [(inputs, part) for part in slopes]
            if layer:
                back = [
                    tf.matmul(part, kernel, transpose_b=True)
                    for part, (kernel, _) in zip(slopes, pairs[layer], strict=True)
                ]
                slope = _times(tf.add_n(back) if len(back) > 1 else back[0], factors[layer])
                slopes = self._activation_slopes(flow, layer - 1, slope)
        return gradients, reaches

    def _activation_slopes(self, flow: Flow, layer: int, slope: tf.Tensor) -> list[tf.Tensor]:
        """Return the gradients with respect to the weighted sums of a hidden layer, which is counted from 0."""
        if self.pieces == 1:
            return [ACTIVATIONS[self.activation].gradient(slope, flow.values[layer])]
        one, other = flow.sums[layer]
        first = one >= other  # as in the gradient of tf.maximum
        return [tf.where(first, slope, tf.zeros_like(slope)), tf.where(first, tf.zeros_like(slope), slope)]

    def _pairs(self, weights: Sequence[tf.Tensor]) -> list[list[tuple[tf.Tensor, tf.Tensor]]]:
        """Return kernel and bias of the dense layers of each hidden layer, and of the output layer."""
        pairs = list(zip(weights[::2], weights[1::2], strict=True))
        hidden = [pairs[layer * self.pieces : (layer + 1) * self.pieces] for layer in range(self.depth)]
        return [*hidden, pairs[-1:]]


def _times(values: tf.Tensor, factor: tf.Tensor | None) -> tf.Tensor:
    return values if factor is None else values * factor

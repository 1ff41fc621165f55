"""The network of a spec: input dropout, hidden layers with dropout, and a softmax over the classes."""

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from gamtune.spec import Spec

MAXOUT_PIECES = 2  # as in H2O and in Goodfellow et al. 2013 for dense layers
ACTIVATIONS = {"relu": tf.nn.relu, "tanh": tf.nn.tanh, "elu": tf.nn.elu}


@dataclass(frozen=True)
class Network:
    """One set of weights seen three times: ``logits`` to score, ``probabilities`` to export, and the bare layers.

    ``hidden`` holds the dense layers of each hidden layer: one, or the pieces of a maxout.
    """

    logits: keras.Model
    probabilities: keras.Model
    hidden: list[list[keras.layers.Dense]]
    output: keras.layers.Dense
    activation: str

    @property
    def dense(self) -> list[keras.layers.Dense]:
        """All layers with weights."""
        return [*(piece for pieces in self.hidden for piece in pieces), self.output]

    @property
    def variables(self) -> list[tf.Variable]:
        """Kernel and bias of each of them, in their order."""
        return [weights.value for layer in self.dense for weights in (layer.kernel, layer.bias)]

    def forward(self, x: tf.Tensor, dropout: Sequence[tf.Tensor | None]) -> tf.Tensor:
        """Logits of the rows ``x``, in fewer and cheaper operations than a call of ``logits``.

        Parameters
        ----------
        x : (n, inputs) float32
            Standardised rows.
        dropout : sequence of (n, width) float32 or None
            What the inputs and each hidden layer's outputs are multiplied by; None leaves them as they are.
        """
        flow = _times(x, dropout[0])
        for pieces, factor in zip(self.hidden, dropout[1:], strict=True):
            sums = [_affine(piece, flow) for piece in pieces]
            flow = tf.maximum(*sums) if self.activation == "maxout" else ACTIVATIONS[self.activation](sums[0])
            flow = _times(flow, factor)
        return _affine(self.output, flow)


def _times(flow: tf.Tensor, factor: tf.Tensor | None) -> tf.Tensor:
    return flow if factor is None else flow * factor


def _affine(layer: keras.layers.Dense, flow: tf.Tensor) -> tf.Tensor:
    return tf.nn.bias_add(tf.matmul(flow, layer.kernel.value), layer.bias.value)


def build_network(spec: Spec, inputs: int, classes: int) -> Network:
    """Make the network with the initial weights of the spec's seed.

    Parameters
    ----------
    spec : Spec
        Layers, dropouts, activation and penalties. As in Keras, dropout rescales what it keeps, weights begin
        Glorot-uniform and biases at 0, and l1 and l2 weigh the kernels.
    inputs, classes : int
        Width of the input and of the output.
    """
    seeds = iter(np.random.default_rng(spec.weight_seed).integers(2**31, size=3 * spec.depth + 2).tolist())
    entrance = keras.Input((inputs,), name="inputs")
    flow = _dropout(entrance, spec.input_dropout, "input_dropout", next(seeds))
    hidden = []
    for layer, (neurons, rate) in enumerate(zip(spec.neurons, spec.hidden_dropout, strict=True), start=1):
        name = f"hidden_{layer}"
        if spec.activation == "maxout":
            names = [f"{name}_piece_{number + 1}" for number in range(MAXOUT_PIECES)]
            hidden.append([_dense(neurons, None, spec, piece, next(seeds)) for piece in names])
            flow = keras.layers.Maximum(name=name)([piece(flow) for piece in hidden[-1]])
        else:
            hidden.append([_dense(neurons, spec.activation, spec, name, next(seeds))])
            flow = hidden[-1][0](flow)
        flow = _dropout(flow, rate, f"hidden_dropout_{layer}", next(seeds))
    output = _dense(classes, None, spec, "logits", next(seeds))
    logits = output(flow)
    probabilities = keras.layers.Softmax(name="probabilities")(logits)
    return Network(keras.Model(entrance, logits), keras.Model(entrance, probabilities), hidden, output, spec.activation)


def _dropout(flow: keras.KerasTensor, rate: float, name: str, seed: int) -> keras.KerasTensor:
    """For those who train the exported model further; our own loop multiplies by masks of its own."""
    return keras.layers.Dropout(rate, seed=seed, name=name)(flow) if rate > 0 else flow


def _dense(units: int, activation: str | None, spec: Spec, name: str, seed: int) -> keras.layers.Dense:
    return keras.layers.Dense(
        units,
        activation=activation,
        kernel_initializer=keras.initializers.GlorotUniform(seed=seed),
        kernel_regularizer=keras.regularizers.L1L2(spec.l1, spec.l2) if spec.l1 or spec.l2 else None,
        name=name,
    )

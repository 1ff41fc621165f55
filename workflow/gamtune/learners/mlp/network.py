"""The network of a spec: input dropout, hidden layers with dropout, and outputs for classes or a value."""

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from gamtune.data.arrays import Prepared
from gamtune.learners.failures import ImpossibleError
from gamtune.spec import Spec

MOST_NEURONS = np.iinfo(np.int64).max
MAXOUT_PIECES = 2  # as in H2O and in Goodfellow et al. 2013 for dense layers
ACTIVATIONS = {"relu": tf.nn.relu, "tanh": tf.nn.tanh, "elu": tf.nn.elu}
H2O_BIASED = ("relu", "maxout")  # their biases begin at 0.5 in the first hidden layer and at 1 in the others


@dataclass(frozen=True)
class Flow:
    """What some rows give: the raw ``outputs``, and ``inputs`` and ``sums`` of each dense layer in turn."""

    outputs: tf.Tensor
    inputs: list[tf.Tensor]
    sums: list[tf.Tensor]


@dataclass(frozen=True)
class Network:
    """One set of weights seen three times: ``raw`` to score, ``exported`` for others, and the bare layers.

    The raw outputs are logits, or the standardised target's value; the exported ones are probabilities, or the value.
    ``hidden`` holds the dense layers of each hidden layer: one, or the pieces of a maxout. ``scoring_factors`` are what
    inputs and hidden outputs are multiplied by where nothing is dropped.
    """

    raw: keras.Model
    exported: keras.Model
    hidden: list[list[keras.layers.Dense]]
    output: keras.layers.Dense
    activation: str
    scoring_factors: list[float | None]

    @property
    def dense(self) -> list[keras.layers.Dense]:
        """All layers with weights."""
        return [*(piece for pieces in self.hidden for piece in pieces), self.output]

    @property
    def variables(self) -> list[tf.Variable]:
        """Kernel and bias of each of them, in their order."""
        return [weights.value for layer in self.dense for weights in (layer.kernel, layer.bias)]

    def forward(self, x: tf.Tensor, factors: Sequence[tf.Tensor | float | None]) -> Flow:
        """Send the rows ``x`` through, in fewer and cheaper operations than a call of ``raw``.

        Parameters
        ----------
        x : (n, inputs) float32
            Standardised rows.
        factors : sequence of (n, width) float32, float or None
            What the inputs and each hidden layer's outputs are multiplied by; None leaves them as they are.
        """
        inputs, sums = [], []
        values = _times(x, factors[0])
        for pieces, factor in zip(self.hidden, factors[1:], strict=True):
            inputs += [values] * len(pieces)
            here = [_affine(piece, values) for piece in pieces]
            sums += here
            values = tf.maximum(*here) if self.activation == "maxout" else ACTIVATIONS[self.activation](here[0])
            values = _times(values, factor)
        outputs = _affine(self.output, values)
        return Flow(outputs, [*inputs, values], [*sums, outputs])


def _times(values: tf.Tensor, factor: tf.Tensor | float | None) -> tf.Tensor:
    return values if factor is None else values * factor


def _affine(layer: keras.layers.Dense, values: tf.Tensor) -> tf.Tensor:
    return tf.nn.bias_add(tf.matmul(values, layer.kernel.value), layer.bias.value)


def build_network(spec: Spec, data: Prepared) -> Network:
    """Make the network with the initial weights of the spec's seed.

    Parameters
    ----------
    spec : Spec
        Layers, dropouts, activation, penalties and whose conventions hold. Keras: weights begin Glorot-uniform and
        biases at 0, dropout rescales what it keeps, l1 and l2 weigh the kernels. H2O (hex.deeplearning, rel-3.46): the
        weights of a classifier's output layer begin four times as wide, biases of hidden relu and maxout layers at
        0.5 and 1; dropout rescales nothing in training, hidden outputs are scaled in scoring; l1 and half l2 weigh
        kernels and biases.
    data : Prepared
        Width of the input, and what the outputs stand for.

    Raises
    ------
    ImpossibleError
        If a layer has more neurons than an array can have.
    """
    if max(spec.neurons) > MOST_NEURONS:
        raise ImpossibleError(f"neurons: got {max(spec.neurons):.3g}, expected at most {MOST_NEURONS:.3g} per layer")
    seeds = iter(np.random.default_rng(spec.weight_seed).integers(2**31, size=3 * spec.depth + 2).tolist())
    entrance = keras.Input((data.inputs,), name="inputs")
    rescaled = spec.network == "keras"
    flow = _dropped(entrance, spec.input_dropout if rescaled else 0.0, "input_dropout", next(seeds))
    hidden = []
    for layer, (neurons, rate) in enumerate(zip(spec.neurons, spec.hidden_dropout, strict=True), start=1):
        name, seed = f"hidden_{layer}", next(seeds)
        bias = (0.5 if layer == 1 else 1.0) if not rescaled and spec.activation in H2O_BIASED else 0.0
        if spec.activation == "maxout":
            piece_seeds = [seed, next(seeds)]
            pieces = enumerate(piece_seeds, start=1)
            hidden.append([_dense(neurons, None, spec, f"{name}_piece_{n}", seed, bias) for n, seed in pieces])
            flow = keras.layers.Maximum(name=name)([piece(flow) for piece in hidden[-1]])
        else:
            hidden.append([_dense(neurons, spec.activation, spec, name, seed, bias)])
            flow = hidden[-1][0](flow)
        if rescaled:
            flow = _dropped(flow, rate, f"hidden_dropout_{layer}", next(seeds))
        elif rate > 0:
            flow = keras.layers.Rescaling(1 - rate, name=f"hidden_scale_{layer}")(flow)
    output, last = _outputs(spec, data, next(seeds))
    raw = output(flow)
    factors = [None, *(None if rescaled or not rate else 1 - rate for rate in spec.hidden_dropout)]
    return Network(
        keras.Model(entrance, raw), keras.Model(entrance, last(raw)), hidden, output, spec.activation, factors
    )


def _outputs(spec: Spec, data: Prepared, seed: int) -> tuple[keras.layers.Dense, keras.layers.Layer]:
    """Return the output layer, and the layer that turns its raw outputs into those of the exported model.

    The latter computes in float64: float32 cannot hold a target of 1.7e9 with a standard deviation of 30, or a
    probability within 1e-8 of 1, and the exported model must score what is reported.
    """
    if data.classes is None:
        mean, sd = (np.array([number]) for number in data.target_scale)  # Keras reads floats in single precision
        rescaling = keras.layers.Rescaling(sd, mean, dtype="float64", name="value")
        return _dense(1, None, spec, "standardised", seed), rescaling
    wide = keras.initializers.VarianceScaling(16, "fan_avg", "uniform", seed=seed) if spec.network == "h2o" else None
    output = _dense(len(data.classes), None, spec, "logits", seed, kernel_initializer=wide)
    return output, keras.layers.Softmax(dtype="float64", name="probabilities")


def _dropped(flow: keras.KerasTensor, rate: float, name: str, seed: int) -> keras.KerasTensor:
    """For those who train the exported model further; our own loop multiplies by masks of its own."""
    return keras.layers.Dropout(rate, seed=seed, name=name)(flow) if rate > 0 else flow


def _dense(
    units: int,
    activation: str | None,
    spec: Spec,
    name: str,
    seed: int,
    bias: float = 0.0,
    kernel_initializer: keras.initializers.Initializer | None = None,
) -> keras.layers.Dense:
    h2o = spec.network == "h2o"
    penalty = keras.regularizers.L1L2(spec.l1, spec.l2 / 2 if h2o else spec.l2) if spec.l1 or spec.l2 else None
    return keras.layers.Dense(
        units,
        activation=activation,
        kernel_initializer=kernel_initializer or keras.initializers.GlorotUniform(seed=seed),
        bias_initializer=keras.initializers.Constant(bias),
        kernel_regularizer=penalty,
        bias_regularizer=penalty if h2o else None,
        name=name,
    )

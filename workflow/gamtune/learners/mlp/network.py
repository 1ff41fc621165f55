"""The network of a specification: input dropout, hidden layers with dropout, and outputs for classes or a value."""

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
H2O_BIASED = ("relu", "maxout")  # H2O's initial bias is 0.5 in the first hidden layer and 1 in the others


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
class Network:
    """A network in three forms, which share their weights: two Keras models and a list of layers.

    Attributes
    ----------
    raw : keras.Model
        Model with raw outputs: logits, or the standardised target.
    exported : keras.Model
        Model with the final outputs: probabilities, or the target.
    hidden : list of list of keras.layers.Dense
        Dense layers of each hidden layer: one, or the pieces of a maxout layer.
    output : keras.layers.Dense
        Output layer.
    activation : str
        Activation of the hidden layers.
    scoring_factors : list of float or None
        Factors of the inputs and of the outputs of each hidden layer without dropout; None is a factor of 1.
    """

    raw: keras.Model
    exported: keras.Model
    hidden: list[list[keras.layers.Dense]]
    output: keras.layers.Dense
    activation: str
    scoring_factors: list[float | None]

    @property
    def dense(self) -> list[keras.layers.Dense]:
        """All layers with weights, in their order."""
        return [*(piece for pieces in self.hidden for piece in pieces), self.output]

    @property
    def variables(self) -> list[tf.Variable]:
        """Kernel and bias of each layer, in their order."""
        return [weights.value for layer in self.dense for weights in (layer.kernel, layer.bias)]

    def forward(self, x: tf.Tensor, factors: Sequence[tf.Tensor | float | None]) -> Flow:
        """Return the values of the network, in fewer and cheaper operations than a call of ``raw``.

        Parameters
        ----------
        x : (n, inputs) float32
            Standardised samples.
        factors : sequence of (n, width) float32, float or None
            Factors of the inputs and of the outputs of each hidden layer; None is a factor of 1.
        """
        inputs, sums = [], []
        values = _times(x, factors[0])
        for pieces, factor in zip(self.hidden, factors[1:], strict=True):
            inputs += [values] * len(pieces)
            affine = [_affine(piece, values) for piece in pieces]
            sums += affine
            values = tf.maximum(*affine) if self.activation == "maxout" else ACTIVATIONS[self.activation](affine[0])
            values = _times(values, factor)
        outputs = _affine(self.output, values)
        return Flow(outputs, [*inputs, values], [*sums, outputs])


def _times(values: tf.Tensor, factor: tf.Tensor | float | None) -> tf.Tensor:
    return values if factor is None else values * factor


def _affine(layer: keras.layers.Dense, values: tf.Tensor) -> tf.Tensor:
    return tf.nn.bias_add(tf.matmul(values, layer.kernel.value), layer.bias.value)


def build_network(spec: Spec, data: Prepared) -> Network:
    """Return the network with the initial weights of the weight seed.

    ``spec.network`` selects the conventions. Keras: the initial weights are Glorot-uniform and the biases 0, dropout
    rescales the kept values, and l1 and l2 apply to the kernels. H2O (hex.deeplearning, rel-3.46): the initial weights
    of the output layer of a classifier are four times as wide, and the initial biases of hidden relu and maxout layers
    are 0.5 and 1; dropout does not rescale in training, but the hidden outputs are scaled in scoring; l1 and half of l2
    apply to kernels and biases.

    Parameters
    ----------
    spec : Spec
        Layers, dropout rates, activation, penalties and weight seed.
    data : Prepared
        Number of inputs, and classes or scale of the target.

    Raises
    ------
    ImpossibleError
        If a layer has more neurons than an array can have.
    """
    if max(spec.neurons) > MOST_NEURONS:
        raise ImpossibleError(f"neurons: got {max(spec.neurons):.3g}, expected at most {MOST_NEURONS:.3g} per layer")
    seeds = iter(np.random.default_rng(spec.weight_seed).integers(2**31, size=3 * spec.depth + 2).tolist())
    inputs = keras.Input((data.inputs,), name="inputs")
    rescaled = spec.network == "keras"
    flow = _dropped(inputs, spec.input_dropout if rescaled else 0.0, "input_dropout", next(seeds))
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
    return Network(keras.Model(inputs, raw), keras.Model(inputs, last(raw)), hidden, output, spec.activation, factors)


def _outputs(spec: Spec, data: Prepared, seed: int) -> tuple[keras.layers.Dense, keras.layers.Layer]:
    """Return the output layer, and the layer that turns its raw outputs into those of the exported model.

    The latter computes in float64, because float32 cannot represent a target of 1.7e9 with a standard deviation of 30,
    or a probability within 1e-8 of 1, and the scores of the exported model must equal the reported ones.
    """
    if data.classes is None:
        mean, sd = (np.array([number]) for number in data.target_scale)  # Keras converts floats to single precision
        rescaling = keras.layers.Rescaling(sd, mean, dtype="float64", name="value")
        return _dense(1, None, spec, "standardised", seed), rescaling
    wide = keras.initializers.VarianceScaling(16, "fan_avg", "uniform", seed=seed) if spec.network == "h2o" else None
    output = _dense(len(data.classes), None, spec, "logits", seed, kernel_initializer=wide)
    return output, keras.layers.Softmax(dtype="float64", name="probabilities")


def _dropped(flow: keras.KerasTensor, rate: float, name: str, seed: int) -> keras.KerasTensor:
    """Add a dropout layer for further training of the exported model; the training loop multiplies by masks instead."""
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

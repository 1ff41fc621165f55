"""The Keras model of a specification: input dropout, hidden layers with dropout, and outputs for classes or a value."""

from dataclasses import dataclass

import keras
import numpy as np

from gamtune.data.arrays import Prepared
from gamtune.learners.failures import ImpossibleError
from gamtune.learners.mlp.conventions import CONVENTIONS, Conventions
from gamtune.learners.mlp.layers import MAXOUT_PIECES
from gamtune.spec import Spec

MOST_NEURONS = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Network:
    """A network in two forms, which share their weights.

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
    """

    raw: keras.Model
    exported: keras.Model
    hidden: list[list[keras.layers.Dense]]
    output: keras.layers.Dense


def build_network(spec: Spec, data: Prepared) -> Network:
    """Return the network with the initial weights of the weight seed.

    ``spec.network`` selects the conventions; see `gamtune.learners.mlp.conventions`.

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
    conventions = CONVENTIONS[spec.network]
    seeds = iter(np.random.default_rng(spec.weight_seed).integers(2**31, size=3 * spec.depth + 2).tolist())
    inputs = keras.Input((data.inputs,), name="inputs")
    flow = _dropped(inputs, spec.input_dropout if conventions.rescaled else 0.0, "input_dropout", next(seeds))
    hidden = []
    for layer, (neurons, rate) in enumerate(zip(spec.neurons, spec.hidden_dropout, strict=True), start=1):
        name, seed = f"hidden_{layer}", next(seeds)
        bias = conventions.initial_bias(spec.activation, layer)
        if spec.activation == "maxout":
            pieces = enumerate([seed, *(next(seeds) for _ in range(MAXOUT_PIECES - 1))], start=1)
            hidden.append([_dense(neurons, None, spec, f"{name}_piece_{n}", seed, bias) for n, seed in pieces])
            flow = keras.layers.Maximum(name=name)([piece(flow) for piece in hidden[-1]])
        else:
            hidden.append([_dense(neurons, spec.activation, spec, name, seed, bias)])
            flow = hidden[-1][0](flow)
        if conventions.rescaled:
            flow = _dropped(flow, rate, f"hidden_dropout_{layer}", next(seeds))
        elif rate > 0:
            flow = keras.layers.Rescaling(1 - rate, name=f"hidden_scale_{layer}")(flow)
    output, last = _outputs(spec, data, conventions, next(seeds))
    raw = output(flow)
    # Explicit names, since Keras numbers the models of a process
    models = keras.Model(inputs, raw, name="raw"), keras.Model(inputs, last(raw), name="network")
    return Network(*models, hidden, output)


def _outputs(
    spec: Spec, data: Prepared, conventions: Conventions, seed: int
) -> tuple[keras.layers.Dense, keras.layers.Layer]:
    """Return the output layer, and the layer that turns its raw outputs into those of the exported model.

    The latter computes in float64, because float32 cannot represent a target of 1.7e9 with a standard deviation of 30,
    or a probability within 1e-8 of 1, and the scores of the exported model must equal the reported ones.
    """
    if data.classes is None:
        mean, sd = (np.array([number]) for number in data.target_scale)  # Keras converts floats to single precision
        rescaling = keras.layers.Rescaling(sd, mean, dtype="float64", name="value")
        return _dense(1, None, spec, "standardised", seed), rescaling
    initializer = conventions.output_initializer(seed)
    output = _dense(len(data.classes), None, spec, "logits", seed, kernel_initializer=initializer)
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
    kernel_initializer: keras.Initializer | None = None,
) -> keras.layers.Dense:
    kernel_penalty, bias_penalty = CONVENTIONS[spec.network].regularizers(spec.l1, spec.l2)
    return keras.layers.Dense(
        units,
        activation=activation,
        kernel_initializer=kernel_initializer or keras.initializers.GlorotUniform(seed=seed),
        bias_initializer=keras.initializers.Constant(bias),
        kernel_regularizer=kernel_penalty,
        bias_regularizer=bias_penalty,
        name=name,
    )

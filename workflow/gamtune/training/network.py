"""The network of a spec: input dropout, hidden layers with dropout, and a softmax over the classes."""

from dataclasses import dataclass

import keras
import numpy as np

from gamtune.spec import Spec

MAXOUT_PIECES = 2  # as in H2O and in Goodfellow et al. 2013 for dense layers


@dataclass(frozen=True)
class Network:
    """One set of weights seen twice: ``logits`` for training and scoring, ``probabilities`` for export."""

    logits: keras.Model
    probabilities: keras.Model


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
    seeds = _Seeds(spec.weight_seed)
    entrance = keras.Input((inputs,), name="inputs")
    flow = _dropout(entrance, spec.input_dropout, "input_dropout", seeds)
    for layer, (neurons, dropout) in enumerate(zip(spec.neurons, spec.hidden_dropout, strict=True), start=1):
        flow = _hidden(flow, neurons, spec, f"hidden_{layer}", seeds)
        flow = _dropout(flow, dropout, f"hidden_dropout_{layer}", seeds)
    logits = _dense(classes, None, spec, "logits", seeds)(flow)
    probabilities = keras.layers.Softmax(name="probabilities")(logits)
    return Network(keras.Model(entrance, logits), keras.Model(entrance, probabilities))


class _Seeds:
    """Independent seeds, one a layer, all from the weight seed. Each layer takes one whether or not it needs it,
    so that a dropout of 0 leaves the other layers' weights as they are."""

    def __init__(self, weight_seed: int) -> None:
        self._generator = np.random.default_rng(weight_seed)

    def take(self) -> int:
        return int(self._generator.integers(2**31))


def _dropout(flow: keras.KerasTensor, rate: float, name: str, seeds: _Seeds) -> keras.KerasTensor:
    seed = seeds.take()
    return keras.layers.Dropout(rate, seed=seed, name=name)(flow) if rate > 0 else flow


def _hidden(flow: keras.KerasTensor, neurons: int, spec: Spec, name: str, seeds: _Seeds) -> keras.KerasTensor:
    if spec.activation == "maxout":
        pieces = [_dense(neurons, None, spec, f"{name}_piece_{p}", seeds)(flow) for p in range(1, MAXOUT_PIECES + 1)]
        return keras.layers.Maximum(name=name)(pieces)
    return _dense(neurons, spec.activation, spec, name, seeds)(flow)


def _dense(units: int, activation: str | None, spec: Spec, name: str, seeds: _Seeds) -> keras.layers.Dense:
    return keras.layers.Dense(
        units,
        activation=activation,
        kernel_initializer=keras.initializers.GlorotUniform(seed=seeds.take()),
        kernel_regularizer=keras.regularizers.L1L2(spec.l1, spec.l2) if spec.l1 or spec.l2 else None,
        name=name,
    )


def build_optimizer(spec: Spec) -> keras.optimizers.Optimizer:
    """The optimizer with the spec's settings of it."""
    if spec.optimizer == "adadelta":
        return keras.optimizers.Adadelta(spec.learning_rate, rho=spec.rho, epsilon=spec.epsilon)
    if spec.optimizer == "sgd":
        return keras.optimizers.SGD(spec.learning_rate, momentum=spec.momentum)
    return keras.optimizers.Adam(spec.learning_rate, spec.beta_1, spec.beta_2, epsilon=spec.epsilon)

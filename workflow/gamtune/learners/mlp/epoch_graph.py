"""The graph of one epoch, which trials of the same architecture share, independently of their widths and numbers.

Tracing takes longer than the training of a small network. The variables therefore have unknown shapes, and all numbers
of a trial are arguments: a process that trains many trials traces each architecture once. A graph of a whole epoch
avoids the overhead of Python and ``keras.fit`` in each step. XLA is off, because on a CPU it is several times slower
for layers of this size, and compiles again for every width.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from gamtune.data.arrays import Part, Prepared
from gamtune.learners.mlp.conventions import CONVENTIONS
from gamtune.learners.mlp.dropout import Dropout, Rates
from gamtune.learners.mlp.gradients import gradients_of
from gamtune.learners.mlp.layers import Factors, Layers
from gamtune.learners.mlp.objective import Objective
from gamtune.learners.mlp.tensors import shared_tensor
from gamtune.learners.mlp.update import Optimizer, Step
from gamtune.spec import Spec

VALIDATED_AT_ONCE = 4096  # samples; limits the memory of the validation
MOST_GRAPHS = 32  # limits the memory of a process that trains many architectures, about 2 MB per graph
Arrays = Sequence[npt.NDArray[np.float32]]


class Samples(NamedTuple):
    """The samples of a part of the data set.

    Attributes
    ----------
    x : (n, inputs) float32
        Standardised inputs.
    targets : (n,)
        Targets of the raw outputs.
    """

    x: tf.Tensor
    targets: tf.Tensor

    @classmethod
    def of(cls, part: Part, objective: Objective, data: Prepared) -> "Samples":
        """Return the samples as tensors, which share the memory of the arrays if possible."""
        return cls(shared_tensor(part.x), objective.targets(part.y, data))


class Numbers(NamedTuple):
    """The settings of a trial that its graph takes as arguments.

    Attributes
    ----------
    batch_size, weight_seed : () int64
        The settings of this name.
    rates : Rates
        Dropout rates.
    label_smoothing : () float32
        The setting of this name.
    scoring : (depth,) float32
        Factors of the outputs of the hidden layers in scoring.
    optimizer : dict of () float32
        The values of `Optimizer.numbers`.
    """

    batch_size: tf.Tensor
    weight_seed: tf.Tensor
    rates: Rates
    label_smoothing: tf.Tensor
    scoring: tf.Tensor
    optimizer: dict[str, tf.Tensor]

    @classmethod
    def of(cls, spec: Spec, optimizer: Optimizer) -> "Numbers":
        """Return the numbers of a specification."""
        return cls(
            tf.constant(spec.batch_size, tf.int64),
            tf.constant(spec.weight_seed, tf.int64),
            Rates.of((spec.input_dropout, *spec.hidden_dropout), CONVENTIONS[spec.network].rescaled),
            tf.constant(spec.label_smoothing, tf.float32),
            tf.constant([1 - rate for rate in spec.hidden_dropout], tf.float32),
            {name: tf.constant(value, tf.float32) for name, value in optimizer.numbers(spec).items()},
        )


@dataclass(frozen=True)
class Architecture:
    """The properties of a trial that determine the operations of its graph.

    Attributes
    ----------
    layers : Layers
        Number and activation of the hidden layers.
    dropout : Dropout
        The layers with dropout.
    conventions : str
        Name of the conventions, which determine the factors in scoring.
    optimizer : Optimizer
        The operations of the update.
    objective : Objective
        Losses and metrics.
    """

    layers: Layers
    dropout: Dropout
    conventions: str
    optimizer: Optimizer
    objective: Objective

    @classmethod
    def of(cls, spec: Spec, objective: Objective) -> "Architecture":
        """Return the architecture of a specification."""
        dropout = Dropout.of((spec.input_dropout, *spec.hidden_dropout))
        optimizer = CONVENTIONS[spec.network].optimizer(spec)
        return cls(Layers.of(spec), dropout, spec.network, optimizer, objective)


class EpochGraph:
    """A graph that trains and validates one epoch, and the variables that it changes.

    Parameters
    ----------
    architecture : Architecture
        The operations.
    """

    def __init__(self, architecture: Architecture) -> None:
        self._of = architecture
        self.weights = [_variable(rank) for _ in range(architecture.layers.dense) for rank in (2, 1)]
        self.slots = [
            _variable(weights.shape.rank) for _ in range(architecture.optimizer.slots) for weights in self.weights
        ]
        self._traced: Callable[..., tf.Tensor] | None = None

    @contextmanager
    def loaded(self, weights: Arrays) -> Iterator[None]:
        """Hold the weights of a trial during the block, and release their memory after it."""
        self.load(weights)
        try:
            yield
        finally:
            for variable in (*self.weights, *self.slots):
                variable.assign(np.zeros((0,) * variable.shape.rank, np.float32))

    def load(self, weights: Arrays, slots: Arrays | None = None) -> None:
        """Set the weights, and the state of the optimizer, which is 0 by default."""
        for variable, array in zip(self.weights, weights, strict=True):
            variable.assign(array)
        repeated = [array for _ in range(self._of.optimizer.slots) for array in weights]
        for variable, array in zip(self.slots, slots or map(np.zeros_like, repeated), strict=True):
            variable.assign(array)

    @property
    def optimizer(self) -> Optimizer:
        """The optimizer of the architecture."""
        return self._of.optimizer

    def current_weights(self) -> list[npt.NDArray[np.float32]]:
        """Return copies of the weights."""
        return [variable.numpy() for variable in self.weights]

    def run(
        self, epoch: int, order: npt.NDArray[np.int32], training: Samples, validation: Samples, numbers: Numbers
    ) -> list[float]:
        """Train one epoch and return the sums of the metrics divided by the numbers of samples.

        Parameters
        ----------
        epoch : int
            Number of the epoch, from 1.
        order : (n,) int32
            Order of the training samples.
        training, validation : Samples
            The samples.
        numbers : Numbers
            The numbers of the trial.

        Returns
        -------
        list of float
            The metrics of the training samples, all but the last one, and those of the validation samples.
        """
        given = tf.constant(epoch, tf.int64), tf.constant(order), training, validation, numbers
        if self._traced is None:
            signature = tf.nest.map_structure(
                lambda tensor: tf.TensorSpec([None] * tensor.shape.rank, tensor.dtype), given
            )
            graph = tf.function(self._epoch, autograph=False, jit_compile=False)
            self._traced = graph.get_concrete_function(*signature)
        values: list[float] = self._traced(*given).numpy().tolist()
        return values

    def _epoch(
        self, epoch: tf.Tensor, order: tf.Tensor, training: Samples, validation: Samples, numbers: Numbers
    ) -> tf.Tensor:
        samples = tf.size(order, tf.int64)
        steps = (samples + numbers.batch_size - 1) // numbers.batch_size
        most = tf.minimum(numbers.batch_size, samples)  # larger masks could fill the memory
        kernels = [variable.read_value() for variable in self.weights[::2]]
        widths = [tf.shape(kernel, tf.int64)[0] for kernel in kernels[:: self._of.layers.pieces]]
        masks = self._of.dropout.masks(widths, most, numbers.rates)
        steps_before, samples_before = (epoch - 1) * steps, (epoch - 1) * samples

        def body(number: tf.Tensor, sums: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            begin = number * numbers.batch_size
            batch = order[begin : tf.minimum(begin + numbers.batch_size, samples)]
            factors = masks.factors(numbers.weight_seed, epoch, number)
            counts = steps_before + number + 1, samples_before + begin
            return number + 1, sums + self._step(training, batch, numbers, factors, counts)

        begin = tf.constant(0, tf.int64), tf.zeros(len(self._of.objective.metrics) - 1)
        _, sums = tf.while_loop(lambda number, _: number < steps, body, begin)
        return tf.concat([sums / tf.cast(samples, tf.float32), self._validate(validation, numbers)], 0)

    def _step(
        self,
        training: Samples,
        batch: tf.Tensor,
        numbers: Numbers,
        factors: Factors,
        counts: tuple[tf.Tensor, tf.Tensor],
    ) -> tf.Tensor:
        """Update the weights by one batch and return the sums of the metrics over the batch."""
        layers, objective = self._of.layers, self._of.objective
        weights = [variable.read_value() for variable in self.weights]
        size = tf.size(batch)
        kept = [None if factor is None else factor[:size] for factor in factors]
        x, targets = tf.gather(training.x, batch), tf.gather(training.targets, batch)
        with_reach = CONVENTIONS[self._of.conventions].with_reach
        gradients = gradients_of(layers, objective, weights, x, targets, kept, numbers.label_smoothing, with_reach)
        self._of.optimizer.update(Step(self.weights, self.slots, gradients, numbers.optimizer, *counts))
        return tf.stack(objective.training_sums(gradients.losses))

    def _validate(self, validation: Samples, numbers: Numbers) -> tf.Tensor:
        """Return the metrics of the validation samples."""
        layers, objective = self._of.layers, self._of.objective
        weights = [variable.read_value() for variable in self.weights]
        samples = tf.size(validation.targets)
        factors: list[tf.Tensor | None] = [None] * (layers.depth + 1)
        if not CONVENTIONS[self._of.conventions].rescaled:
            dropped = enumerate(self._of.dropout.dropped[1:])
            factors[1:] = [numbers.scoring[layer] if has_dropout else None for layer, has_dropout in dropped]

        def body(begin: tf.Tensor, sums: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            end = tf.minimum(begin + VALIDATED_AT_ONCE, samples)
            outputs = layers.forward(weights, validation.x[begin:end], factors).outputs
            targets = validation.targets[begin:end]
            return end, sums + tf.stack(objective.sums(objective.losses(targets, outputs), targets, outputs))

        begin = tf.constant(0), tf.zeros(len(objective.metrics))
        sums = tf.while_loop(lambda begin, _: begin < samples, body, begin)[1]
        return sums / tf.cast(samples, tf.float32)


def _variable(rank: int) -> tf.Variable:
    """Return an empty variable that takes arrays of any shape."""
    return tf.Variable(np.zeros((0,) * rank, np.float32), shape=tf.TensorShape([None] * rank), trainable=False)


@lru_cache(maxsize=MOST_GRAPHS)
def epoch_graph(architecture: Architecture) -> EpochGraph:
    """Return the graph of an architecture, which this process has traced only once."""
    return EpochGraph(architecture)

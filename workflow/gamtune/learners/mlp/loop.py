"""The training loop: one graph per epoch, and early stopping that restores the weights of the best epoch.

A graph of a whole epoch avoids the overhead of Python and ``keras.fit`` in each step. XLA is off, because on a CPU it
is several times slower for layers of this size.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from gamtune.data.arrays import Part
from gamtune.learners.failures import DivergedError
from gamtune.learners.mlp.dropout import dropout_factors
from gamtune.learners.mlp.gradients import gradients_of
from gamtune.learners.mlp.network import Network
from gamtune.learners.mlp.objective import Objective
from gamtune.learners.mlp.optimizers import build_update
from gamtune.learners.mlp.state import State, save_state
from gamtune.learners.mlp.tensors import shared_tensor
from gamtune.learners.mlp.update import Update
from gamtune.spec import Spec

VALIDATED_AT_ONCE = 4096  # samples; limits the memory of the validation


@dataclass
class History:
    """The metrics of each epoch.

    Attributes
    ----------
    stops_by : str
        Name of the curve whose lowest value determines the best epoch.
    curves : dict of str to list of float
        Values per epoch by part and metric, such as ``validation_mse``. The training metrics are means over the steps
        of the epoch, with dropout, as in Keras.
    scales : dict of str to float
        Factors from the results of an epoch to the units of the curves.
    time : list of float
        End of each epoch in seconds since 1970.
    best_epoch : int
        Number of the best epoch, from 1; 0 before the first one.
    """

    stops_by: str
    curves: dict[str, list[float]]
    scales: dict[str, float]
    time: list[float] = field(default_factory=list)
    best_epoch: int = 0

    @classmethod
    def empty(cls, objective: Objective) -> "History":
        """Return the history before the first epoch."""
        names = [f"train_{name}" for name in objective.metrics[:-1]]
        names += [f"validation_{name}" for name in objective.metrics]
        scales = (*objective.scales[:-1], *objective.scales)
        curves: dict[str, list[float]] = {name: [] for name in names}
        return cls(f"validation_{objective.metrics[0]}", curves, dict(zip(names, scales, strict=True)))

    def resumed(self, record: dict[str, Any]) -> "History":
        """Return the history that a record contains."""
        curves = {name: record["history"][name] for name in self.curves}
        return History(self.stops_by, curves, self.scales, record["history"]["time"], record["best_epoch"])

    @property
    def epochs(self) -> int:
        """Number of epochs."""
        return len(self.time)

    def improved(self, min_delta: float) -> bool:
        """Return whether the loss of the last epoch is lower than that of the best one by more than ``min_delta``.

        In a regression, ``min_delta`` refers to the loss of the standardised target, so that the units of the target do
        not matter.
        """
        if not self.best_epoch:
            return True
        curve = self.curves[self.stops_by]
        return curve[-1] < curve[self.best_epoch - 1] - min_delta * self.scales[self.stops_by]

    def add(self, values: list[float]) -> None:
        """Append the results of one epoch, in the order of the curves."""
        self.time.append(time.time())
        for (name, curve), value in zip(self.curves.items(), values, strict=True):
            curve.append(value * self.scales[name])

    @property
    def finite(self) -> bool:
        """Whether all metrics of the last epoch are finite."""
        return all(math.isfinite(curve[-1]) for curve in self.curves.values())

    def last(self) -> str:
        """Return the metrics of the last epoch as a text for the log."""
        return ", ".join(f"{name} {curve[-1]:.5g}" for name, curve in self.curves.items())

    def to_dict(self) -> dict[str, list[float]]:
        """Return the history in the form of a record."""
        return {"epoch": [*range(1, self.epochs + 1)], "time": self.time, **self.curves}


def train(
    network: Network,
    spec: Spec,
    objective: Objective,
    training: Part,
    validation: Part,
    earlier: tuple[dict[str, Any], State] | None = None,
    state_file: Path | None = None,
) -> History:
    """Train a network in place; afterwards it has the weights of ``best_epoch``.

    Parameters
    ----------
    network : Network
        The network with its initial weights.
    spec : Spec
        Batch size, epochs, early stopping, optimizer, penalties and seed.
    objective : Objective
        The function that is minimised.
    training, validation : Part
        Samples for training and for early stopping.
    earlier : (record, State), optional
        Record and state of the same trial after fewer epochs, from which the training resumes.
    state_file : Path, optional
        File for the state after the last epoch.

    Returns
    -------
    History
        The metrics of each epoch.

    Raises
    ------
    DivergedError
        If a metric of an epoch is not finite.
    """
    update = build_update(spec, network.variables)
    epoch_in_graph = epoch_function(network, spec, update, objective, training, validation)
    history, kept = History.empty(objective), None
    if earlier is not None:
        history, kept = history.resumed(earlier[0]), earlier[1].kept or None
        _restore(network, update, earlier[1])
    while history.epochs < spec.epochs and not _out_of_patience(history, spec):
        epoch = history.epochs + 1
        order = tf.constant(sample_order(spec.weight_seed, epoch, len(training.y)))
        history.add(epoch_in_graph(tf.constant(epoch, tf.int64), order).numpy().tolist())
        print(f"epoch {epoch}/{spec.epochs}: {history.last()}", flush=True)
        if not history.finite:
            before = {name: values[:-1] for name, values in history.to_dict().items()}
            raise DivergedError(f"the loss is not finite in epoch {epoch}", before)
        if spec.patience is None:
            history.best_epoch = epoch
        elif history.improved(float(spec.min_delta or 0)):
            kept, history.best_epoch = network.raw.get_weights(), epoch
    if state_file is not None:
        slots = [slot.numpy() for slot in update.slots]
        save_state(State(network.raw.get_weights(), slots, kept or []), state_file)
    if kept is not None and history.best_epoch < history.epochs:
        network.raw.set_weights(kept)
    return history


def _restore(network: Network, update: Update, state: State) -> None:
    network.raw.set_weights(state.weights)
    for slot, value in zip(update.slots, state.slots, strict=True):
        slot.assign(value)


def _out_of_patience(history: History, spec: Spec) -> bool:
    return spec.patience is not None and history.epochs - history.best_epoch >= spec.patience


def sample_order(weight_seed: int, epoch: int, rows: int) -> npt.NDArray[np.int32]:
    """Return the order of the samples in an epoch, which depends on seed and epoch only.

    Parameters
    ----------
    weight_seed : int
        Weight seed of the trial.
    epoch : int
        Number of the epoch, from 1.
    rows : int
        Number of samples.
    """
    return np.random.default_rng([weight_seed, epoch]).permutation(rows).astype(np.int32)


def epoch_function(
    network: Network, spec: Spec, update: Update, objective: Objective, training: Part, validation: Part
) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """Return a graph that trains one epoch and validates.

    Returns
    -------
    callable
        Takes the number of the epoch, () int64, and the order of the samples, (n,) int32; returns the values for
        `History.add`, float32.
    """
    step = _step_function(network, spec, update, objective, training)
    validate = _validation_function(network, objective, validation)
    samples = len(training.y)
    steps = math.ceil(samples / spec.batch_size)

    @tf.function(autograph=False, jit_compile=False)  # type: ignore[untyped-decorator]
    def run_epoch(epoch: tf.Tensor, order: tf.Tensor) -> tf.Tensor:
        def body(number: tf.Tensor, sums: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            begin = number * spec.batch_size
            batch = order[begin : tf.minimum(begin + spec.batch_size, samples)]
            return number + 1, sums + step(epoch, tf.cast(number, tf.int64), batch)

        begin = tf.constant(0), tf.zeros(len(objective.metrics) - 1)
        _, sums = tf.while_loop(lambda number, _: number < steps, body, begin)
        return tf.concat([sums / samples, validate()], 0)

    return run_epoch  # type: ignore[no-any-return]


def _step_function(
    network: Network, spec: Spec, update: Update, objective: Objective, training: Part
) -> Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]:
    """Return a function that updates the weights by one batch and returns the sums of the metrics over the batch."""
    x, y = shared_tensor(training.x), objective.targets(training.y)
    samples = len(training.y)
    steps = math.ceil(samples / spec.batch_size)
    most = min(spec.batch_size, samples)  # masks of a batch size above the number of samples could fill the memory
    rates, widths = (spec.input_dropout, *spec.hidden_dropout), (training.x.shape[1], *spec.neurons)
    rescaled = spec.network == "keras"

    def step(epoch: tf.Tensor, number: tf.Tensor, batch: tf.Tensor) -> tf.Tensor:
        factors = dropout_factors(rates, widths, most, spec.weight_seed, epoch, number, rescaled)
        size = tf.size(batch)
        targets = tf.gather(y, batch)
        kept = [None if factor is None else factor[:size] for factor in factors]
        gradients = gradients_of(
            network, objective, tf.gather(x, batch), targets, kept, with_reach=spec.network == "h2o"
        )
        done = epoch - 1
        update.step(gradients, done * steps + number + 1, done * samples + number * spec.batch_size)
        return tf.stack(objective.training_sums(gradients.losses))

    return step


def _validation_function(network: Network, objective: Objective, validation: Part) -> Callable[[], tf.Tensor]:
    """Return a function that returns the metrics of the validation samples."""
    x, y = shared_tensor(validation.x), objective.targets(validation.y)
    samples = len(validation.y)

    def validate() -> tf.Tensor:
        def body(begin: tf.Tensor, sums: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            end = tf.minimum(begin + VALIDATED_AT_ONCE, samples)
            outputs, targets = network.forward(x[begin:end], network.scoring_factors).outputs, y[begin:end]
            losses = objective.losses(targets, outputs)
            return end, sums + tf.stack(objective.sums(losses, targets, outputs))

        begin = tf.constant(0), tf.zeros(len(objective.metrics))
        return tf.while_loop(lambda begin, _: begin < samples, body, begin)[1] / samples

    return validate

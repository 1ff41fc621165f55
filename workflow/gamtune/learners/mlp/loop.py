"""The training loop: whole epochs inside one graph, early stopping that keeps the best epoch's weights.

A graph a whole epoch long spares the per-step cost of Python and of ``keras.fit``; XLA is off because on a CPU it is
several times slower for layers of this size.
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

VALIDATED_AT_ONCE = 4096  # rows; bounds the memory that validation takes


@dataclass
class History:
    """What each epoch gave: ``time`` in seconds since 1970, ``curves`` by part and figure, as ``validation_mse``.

    The training metrics are means over the epoch's steps, dropout on, as Keras shows them. ``stops_by`` is the curve
    whose lowest point is the best epoch. ``scales`` turn what an epoch gives into the units of the curves.
    """

    stops_by: str
    curves: dict[str, list[float]]
    scales: dict[str, float]
    time: list[float] = field(default_factory=list)
    best_epoch: int = 0

    @classmethod
    def empty(cls, objective: Objective) -> "History":
        """Of a training that has not begun."""
        names = [f"train_{name}" for name in objective.figures[:-1]]
        names += [f"validation_{name}" for name in objective.figures]
        scales = (*objective.scales[:-1], *objective.scales)
        curves: dict[str, list[float]] = {name: [] for name in names}
        return cls(f"validation_{objective.figures[0]}", curves, dict(zip(names, scales, strict=True)))

    def taken_up(self, record: dict[str, Any]) -> "History":
        """That of a training whose record says it."""
        curves = {name: record["history"][name] for name in self.curves}
        return History(self.stops_by, curves, self.scales, record["history"]["time"], record["best_epoch"])

    @property
    def epochs(self) -> int:
        """Epochs trained."""
        return len(self.time)

    def improved(self, min_delta: float) -> bool:
        """Return whether the last epoch's loss is the lowest so far by more than ``min_delta``.

        In a regression, ``min_delta`` is compared with the loss of the standardised target, so that the units of the
        target never matter.
        """
        if not self.best_epoch:
            return True
        curve = self.curves[self.stops_by]
        return curve[-1] < curve[self.best_epoch - 1] - min_delta * self.scales[self.stops_by]

    def add(self, figures: list[float]) -> None:
        """Append one epoch."""
        self.time.append(time.time())
        for (name, curve), figure in zip(self.curves.items(), figures, strict=True):
            curve.append(figure * self.scales[name])

    @property
    def finite(self) -> bool:
        """Whether the last epoch's figures are numbers."""
        return all(math.isfinite(curve[-1]) for curve in self.curves.values())

    def last(self) -> str:
        """The last epoch's figures, for the log."""
        return ", ".join(f"{name} {curve[-1]:.5g}" for name, curve in self.curves.items())

    def to_dict(self) -> dict[str, list[float]]:
        """As written to a record."""
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
    """Train in place; afterwards the network holds the weights of ``best_epoch``.

    Parameters
    ----------
    network : Network
        With its initial weights.
    spec : Spec
        Batch size, epochs, early stopping, optimizer, penalties and seed.
    objective : Objective
        What is minimised.
    training, validation : Part
        Rows to learn from and rows to stop by.
    earlier : (record, State), optional
        What the same training left after fewer epochs: it goes on from there.
    state_file : Path, optional
        Where to write how it stands at the end.

    Raises
    ------
    DivergedError
        If a figure of an epoch is not finite.
    """
    update = build_update(spec, network.variables)
    epoch_in_graph = epoch_function(network, spec, update, objective, training, validation)
    history, kept = History.empty(objective), None
    if earlier is not None:
        history, kept = history.taken_up(earlier[0]), earlier[1].kept or None
        _take_up(network, update, earlier[1])
    while history.epochs < spec.epochs and not _out_of_patience(history, spec):
        epoch = history.epochs + 1
        order = tf.constant(row_order(spec.weight_seed, epoch, len(training.y)))
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


def _take_up(network: Network, update: Update, state: State) -> None:
    network.raw.set_weights(state.weights)
    for slot, value in zip(update.slots, state.slots, strict=True):
        slot.assign(value)


def _out_of_patience(history: History, spec: Spec) -> bool:
    return spec.patience is not None and history.epochs - history.best_epoch >= spec.patience


def row_order(weight_seed: int, epoch: int, rows: int) -> npt.NDArray[np.int32]:
    """Order in which an epoch visits the rows; depends on seed and epoch alone."""
    return np.random.default_rng([weight_seed, epoch]).permutation(rows).astype(np.int32)


def epoch_function(
    network: Network, spec: Spec, update: Update, objective: Objective, training: Part, validation: Part
) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """One epoch and its validation as a graph: takes its number and row order, gives what `History.add` takes."""
    step = _step_function(network, spec, update, objective, training)
    validate = _validation_function(network, objective, validation)
    rows = len(training.y)
    steps = math.ceil(rows / spec.batch_size)

    @tf.function(autograph=False, jit_compile=False)  # type: ignore[untyped-decorator]
    def run_epoch(epoch: tf.Tensor, order: tf.Tensor) -> tf.Tensor:
        def body(number: tf.Tensor, sums: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            begin = number * spec.batch_size
            chosen = order[begin : tf.minimum(begin + spec.batch_size, rows)]
            return number + 1, sums + step(epoch, tf.cast(number, tf.int64), chosen)

        begin = tf.constant(0), tf.zeros(len(objective.figures) - 1)
        _, sums = tf.while_loop(lambda number, _: number < steps, body, begin)
        return tf.concat([sums / rows, validate()], 0)

    return run_epoch  # type: ignore[no-any-return]


def _step_function(
    network: Network, spec: Spec, update: Update, objective: Objective, training: Part
) -> Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]:
    """One step on the chosen rows; gives the sums of their figures."""
    x, y = shared_tensor(training.x), objective.targets(training.y)
    rows = len(training.y)
    steps = math.ceil(rows / spec.batch_size)
    most = min(spec.batch_size, rows)  # masks for rows that are not there could fill the memory
    rates, widths = (spec.input_dropout, *spec.hidden_dropout), (training.x.shape[1], *spec.neurons)
    rescaled = spec.network == "keras"

    def step(epoch: tf.Tensor, number: tf.Tensor, chosen: tf.Tensor) -> tf.Tensor:
        factors = dropout_factors(rates, widths, most, spec.weight_seed, epoch, number, rescaled)
        here = tf.size(chosen)
        targets = tf.gather(y, chosen)
        kept = [None if factor is None else factor[:here] for factor in factors]
        gradients = gradients_of(
            network, objective, tf.gather(x, chosen), targets, kept, with_reach=spec.network == "h2o"
        )
        done = epoch - 1
        update.step(gradients, done * steps + number + 1, done * rows + number * spec.batch_size)
        return tf.stack(objective.training_sums(gradients.losses))

    return step


def _validation_function(network: Network, objective: Objective, validation: Part) -> Callable[[], tf.Tensor]:
    """Figures of the validation rows."""
    x, y = shared_tensor(validation.x), objective.targets(validation.y)
    rows = len(validation.y)

    def validate() -> tf.Tensor:
        def body(begin: tf.Tensor, sums: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            end = tf.minimum(begin + VALIDATED_AT_ONCE, rows)
            outputs, targets = network.forward(x[begin:end], network.scoring_factors).outputs, y[begin:end]
            losses = objective.losses(targets, outputs)
            return end, sums + tf.stack(objective.sums(losses, targets, outputs))

        begin = tf.constant(0), tf.zeros(len(objective.figures))
        return tf.while_loop(lambda begin, _: begin < rows, body, begin)[1] / rows

    return validate

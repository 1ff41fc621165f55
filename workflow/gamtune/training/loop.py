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
from gamtune.spec import Spec
from gamtune.training.dropout import dropout_factors
from gamtune.training.network import Network
from gamtune.training.state import State, save_state
from gamtune.training.update import Update, build_update

ALIGNMENT = 64
VALIDATED_AT_ONCE = 4096  # rows; bounds the memory that validation takes
HISTORY = ("train_logloss", "train_mse", "validation_logloss", "validation_mse", "validation_accuracy")


class DivergedError(Exception):
    """The loss is no longer a number: this training cannot succeed."""


@dataclass
class History:
    """What each epoch gave: ``time`` in seconds since 1970, ``curves`` by the names of `HISTORY`.

    The training figures are means over the epoch's steps, dropout on, as Keras shows them.
    """

    time: list[float] = field(default_factory=list)
    curves: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in HISTORY})
    best_epoch: int = 0

    @property
    def epochs(self) -> int:
        """Epochs trained."""
        return len(self.time)

    @property
    def best_logloss(self) -> float:
        """Validation logloss of the best epoch; infinite before the first."""
        return self.curves["validation_logloss"][self.best_epoch - 1] if self.best_epoch else math.inf

    def add(self, figures: list[float]) -> None:
        """Append one epoch."""
        self.time.append(time.time())
        for name, figure in zip(HISTORY, figures, strict=True):
            self.curves[name].append(figure)

    @classmethod
    def of_record(cls, record: dict[str, Any]) -> "History":
        """That of a training whose record says it."""
        curves = {name: record["history"][name] for name in HISTORY}
        return cls(record["history"]["time"], curves, record["best_epoch"])

    def last(self) -> str:
        """The last epoch's figures, for the log."""
        return ", ".join(f"{name} {curve[-1]:.5f}" for name, curve in self.curves.items())

    def to_dict(self) -> dict[str, list[float]]:
        """As written to a record."""
        return {"epoch": [*range(1, self.epochs + 1)], "time": self.time, **self.curves}


def train(
    network: Network,
    spec: Spec,
    training: Part,
    validation: Part,
    earlier: tuple[History, State] | None = None,
    state_file: Path | None = None,
) -> History:
    """Train in place; afterwards the network holds the weights of ``best_epoch``.

    Parameters
    ----------
    network : Network
        With its initial weights.
    spec : Spec
        Batch size, epochs, early stopping, optimizer, penalties and seed.
    training, validation : Part
        Rows to learn from and rows to stop by.
    earlier : (History, State), optional
        Where the same training stood after fewer epochs: it goes on from there.
    state_file : Path, optional
        Where to write how it stands at the end.

    Raises
    ------
    DivergedError
        If the training loss or the validation logloss stops being finite.
    """
    update = build_update(spec, network.variables)
    epoch_in_graph = epoch_function(network, spec, update, training, validation)
    history, kept = History(), None
    if earlier is not None:
        history, kept = earlier[0], earlier[1].kept or None
        _take_up(network, update, earlier[1])
    while history.epochs < spec.epochs and not _out_of_patience(history, spec):
        epoch = history.epochs + 1
        order = tf.constant(row_order(spec.weight_seed, epoch, len(training.y)))
        history.add(epoch_in_graph(tf.constant(epoch, tf.int64), order).numpy().tolist())
        logloss = history.curves["validation_logloss"][-1]
        print(f"epoch {epoch}/{spec.epochs}: {history.last()}", flush=True)
        if not (math.isfinite(history.curves["train_logloss"][-1]) and math.isfinite(logloss)):
            raise DivergedError(f"the loss is not finite in epoch {epoch}")
        if spec.patience is None:
            history.best_epoch = epoch
        elif logloss < history.best_logloss - float(spec.min_delta or 0):
            kept, history.best_epoch = network.logits.get_weights(), epoch
    if state_file is not None:
        slots = [slot.numpy() for slot in update.slots]
        save_state(State(network.logits.get_weights(), slots, kept or []), state_file)
    if kept is not None and history.best_epoch < history.epochs:
        network.logits.set_weights(kept)
    return history


def _take_up(network: Network, update: Update, state: State) -> None:
    network.logits.set_weights(state.weights)
    for slot, value in zip(update.slots, state.slots, strict=True):
        slot.assign(value)


def _out_of_patience(history: History, spec: Spec) -> bool:
    return spec.patience is not None and history.epochs - history.best_epoch >= spec.patience


def row_order(weight_seed: int, epoch: int, rows: int) -> npt.NDArray[np.int32]:
    """Order in which an epoch visits the rows; depends on seed and epoch alone."""
    return np.random.default_rng([weight_seed, epoch]).permutation(rows).astype(np.int32)


def epoch_function(
    network: Network, spec: Spec, update: Update, training: Part, validation: Part
) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """One epoch and its validation as a graph: takes its number and row order, gives the figures of `HISTORY`."""
    step = _step_function(network, spec, update, training)
    validate = _validation_function(network, validation)
    rows = len(training.y)
    steps = math.ceil(rows / spec.batch_size)

    @tf.function(autograph=False, jit_compile=False)  # type: ignore[untyped-decorator]
    def run_epoch(epoch: tf.Tensor, order: tf.Tensor) -> tf.Tensor:
        def body(number: tf.Tensor, sums: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            begin = number * spec.batch_size
            chosen = order[begin : tf.minimum(begin + spec.batch_size, rows)]
            return number + 1, sums + step(epoch, tf.cast(number, tf.int64), chosen)

        _, sums = tf.while_loop(lambda number, _: number < steps, body, (tf.constant(0), tf.zeros(2)))
        return tf.concat([sums / rows, validate()], 0)

    return run_epoch  # type: ignore[no-any-return]


def _step_function(
    network: Network, spec: Spec, update: Update, training: Part
) -> Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]:
    """One step on the chosen rows; gives the sums of their logloss and squared error."""
    x, y = shared_tensor(training.x), shared_tensor(training.y)
    variables = network.variables
    steps = math.ceil(len(training.y) / spec.batch_size)
    most = min(spec.batch_size, len(training.y))  # masks for rows that are not there could fill the memory
    rates, widths = (spec.input_dropout, *spec.hidden_dropout), (training.x.shape[1], *spec.neurons)

    def step(epoch: tf.Tensor, number: tf.Tensor, chosen: tf.Tensor) -> tf.Tensor:
        factors = dropout_factors(rates, widths, most, spec.weight_seed, epoch, number)
        rows = tf.size(chosen)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            logits = network.forward(tf.gather(x, chosen), [None if f is None else f[:rows] for f in factors])
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.gather(y, chosen), logits)
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, variables)
        update.step(_penalised(gradients, variables, spec), (epoch - 1) * steps + number + 1)
        return tf.stack([tf.reduce_sum(losses), tf.reduce_sum(_squared_error(losses))])

    return step


def _penalised(gradients: list[tf.Tensor], variables: list[tf.Variable], spec: Spec) -> list[tf.Tensor]:
    """Gradients with those of l1 and l2 on the kernels: what differentiating the penalties gives, in less time."""
    penalised = []
    for gradient, variable in zip(gradients, variables, strict=True):
        if spec.l1 and variable.shape.rank == 2:
            gradient += spec.l1 * tf.sign(variable)
        if spec.l2 and variable.shape.rank == 2:
            gradient += 2 * spec.l2 * variable
        penalised.append(gradient)
    return penalised


def _validation_function(network: Network, validation: Part) -> Callable[[], tf.Tensor]:
    """Logloss, MSE and accuracy of the validation rows."""
    x, y = shared_tensor(validation.x), shared_tensor(validation.y)
    rows = len(validation.y)
    no_dropout = [None] * (len(network.hidden) + 1)

    def validate() -> tf.Tensor:
        def body(begin: tf.Tensor, sums: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            end = tf.minimum(begin + VALIDATED_AT_ONCE, rows)
            logits, labels = network.forward(x[begin:end], no_dropout), y[begin:end]
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
            hits = tf.cast(tf.argmax(logits, 1, tf.int32) == labels, tf.float32)
            return end, sums + tf.reduce_sum(tf.stack([losses, _squared_error(losses), hits]), 1)

        return tf.while_loop(lambda begin, _: begin < rows, body, (tf.constant(0), tf.zeros(3)))[1] / rows

    return validate


def _squared_error(losses: tf.Tensor) -> tf.Tensor:
    """H2O's squared error of a row, (1 - probability of the true class) squared, from its logloss."""
    return tf.math.expm1(-losses) ** 2


def shared_tensor(array: npt.NDArray[Any]) -> tf.Tensor:
    """A tensor over the array's own memory, which trainings of one data set share through its file.

    TensorFlow's kernels abort on memory that does not begin at a multiple of 64 bytes; ``.npy`` files do, and other
    arrays are copied.
    """
    if array.flags.c_contiguous and array.ctypes.data % ALIGNMENT == 0:
        return tf.experimental.dlpack.from_dlpack(array.__dlpack__())
    return tf.constant(array)

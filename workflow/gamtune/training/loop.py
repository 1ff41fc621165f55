"""The training loop: whole epochs inside one graph, early stopping that keeps the best epoch's weights.

A graph a whole epoch long spares the per-step cost of Python and of ``keras.fit``; XLA is off because on a CPU it is
several times slower for layers of this size.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from gamtune.data.arrays import Part
from gamtune.spec import Spec

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

    def add(self, figures: list[float]) -> None:
        """Append one epoch."""
        self.time.append(time.time())
        for name, figure in zip(HISTORY, figures, strict=True):
            self.curves[name].append(figure)

    def to_dict(self) -> dict[str, list[float]]:
        """As written to a record."""
        return {"epoch": [*range(1, self.epochs + 1)], "time": self.time, **self.curves}


def train(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, spec: Spec, training: Part, validation: Part
) -> History:
    """Train in place; afterwards the model holds the weights of ``best_epoch``.

    Parameters
    ----------
    model : keras.Model
        Built, with logits as its output.
    optimizer : keras.optimizers.Optimizer
        Not yet built.
    spec : Spec
        Batch size, epochs, early stopping, penalties and seed.
    training, validation : Part
        Rows to learn from and rows to stop by.

    Raises
    ------
    DivergedError
        If the training loss or the validation logloss stops being finite.
    """
    optimizer.build(model.trainable_variables)
    epoch_in_graph = _epoch_function(model, optimizer, spec, training, validation)
    history, best, kept = History(), math.inf, None
    for epoch in range(1, spec.epochs + 1):
        history.add([float(figure) for figure in epoch_in_graph(row_order(spec.weight_seed, epoch, len(training.y)))])
        logloss = history.curves["validation_logloss"][-1]
        if not (math.isfinite(history.curves["train_logloss"][-1]) and math.isfinite(logloss)):
            raise DivergedError(f"the loss is not finite in epoch {epoch}")
        if spec.patience is None:
            history.best_epoch = epoch
        elif logloss < best - float(spec.min_delta or 0):
            best, kept, history.best_epoch = logloss, model.get_weights(), epoch
        elif epoch - history.best_epoch >= spec.patience:
            break
    if kept is not None and history.best_epoch < history.epochs:
        model.set_weights(kept)
    return history


def row_order(weight_seed: int, epoch: int, rows: int) -> npt.NDArray[np.int32]:
    """Order in which an epoch visits the rows; depends on seed and epoch alone."""
    return np.random.default_rng([weight_seed, epoch]).permutation(rows).astype(np.int32)


def _epoch_function(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, spec: Spec, training: Part, validation: Part
) -> Callable[[npt.NDArray[np.int32]], Any]:
    """One epoch and its validation as a graph: takes the row order, gives the figures of `HISTORY`."""
    x, y = tf.constant(training.x), tf.constant(training.y)
    x_validation, y_validation = tf.constant(validation.x), tf.constant(validation.y)
    variables = model.trainable_variables
    penalised = [variable.path.endswith("kernel") for variable in variables]
    rows = len(training.y)
    steps = math.ceil(rows / spec.batch_size)

    def step(chosen: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        labels = tf.gather(y, chosen)
        with tf.GradientTape() as tape:
            logits = model(tf.gather(x, chosen), training=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, variables)
        # l1 and l2 by their gradients: the same numbers as differentiating the penalty, in a third of the time
        gradients = [
            g + spec.l1 * tf.sign(v.value) + 2 * spec.l2 * v.value if p and (spec.l1 or spec.l2) else g
            for g, v, p in zip(gradients, variables, penalised, strict=True)
        ]
        optimizer.apply(gradients, variables)
        return tf.reduce_sum(losses), tf.reduce_sum(tf.math.expm1(-losses) ** 2)

    @tf.function(jit_compile=False)  # type: ignore[untyped-decorator]
    def epoch(order: tf.Tensor) -> tuple[tf.Tensor, ...]:
        logloss, mse = tf.constant(0.0), tf.constant(0.0)
        for number in tf.range(steps):
            start = number * spec.batch_size
            loss, error = step(order[start : tf.minimum(start + spec.batch_size, rows)])
            logloss, mse = logloss + loss, mse + error
        logits = model(x_validation, training=False)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y_validation, logits)
        hits = tf.cast(tf.argmax(logits, 1, tf.int32) == y_validation, tf.float32)
        return (
            logloss / rows,
            mse / rows,
            tf.reduce_mean(losses),
            tf.reduce_mean(tf.math.expm1(-losses) ** 2),
            tf.reduce_mean(hits),
        )

    return epoch  # type: ignore[no-any-return]

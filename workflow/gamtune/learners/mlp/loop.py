"""The training loop: one call of a graph per epoch, and early stopping that restores the weights of the best epoch."""

import math
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gamtune.data.arrays import Part, Prepared
from gamtune.learners.failures import DivergedError
from gamtune.learners.mlp.epoch_graph import Architecture, Numbers, Samples, epoch_graph
from gamtune.learners.mlp.network import Network
from gamtune.learners.mlp.objective import Objective, objective_of
from gamtune.learners.mlp.state import State, save_state
from gamtune.spec import Spec


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
    def empty(cls, objective: Objective, data: Prepared) -> "History":
        """Return the history before the first epoch."""
        names = [f"train_{name}" for name in objective.metrics[:-1]]
        names += [f"validation_{name}" for name in objective.metrics]
        scales = objective.scales(data)
        scales = (*scales[:-1], *scales)
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
    data: Prepared,
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
    data : Prepared
        Classes or scale of the target.
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
    ImpossibleError
        If the objective does not support a setting.
    """
    objective = objective_of(data, spec.label_smoothing)
    graph = epoch_graph(Architecture.of(spec, objective))
    numbers = Numbers.of(spec, graph.optimizer)
    parts = Samples.of(training, objective, data), Samples.of(validation, objective, data)
    history, kept = History.empty(objective, data), None
    with graph.loaded(network.raw.get_weights()):
        if earlier is not None:
            history, kept = history.resumed(earlier[0]), earlier[1].kept or None
            graph.load(earlier[1].weights, earlier[1].slots)
        while history.epochs < spec.epochs and not _out_of_patience(history, spec):
            epoch = history.epochs + 1
            history.add(graph.run(epoch, sample_order(spec.weight_seed, epoch, len(training.y)), *parts, numbers))
            print(f"epoch {epoch}/{spec.epochs}: {history.last()}", flush=True)
            if not history.finite:
                before = {name: values[:-1] for name, values in history.to_dict().items()}
                raise DivergedError(f"the loss is not finite in epoch {epoch}", before)
            if spec.patience is None:
                history.best_epoch = epoch
            elif history.improved(float(spec.min_delta or 0)):
                kept, history.best_epoch = graph.current_weights(), epoch
        last = graph.current_weights()
        if state_file is not None:
            save_state(State(last, [slot.numpy() for slot in graph.slots], kept or []), state_file)
    network.raw.set_weights(kept if kept is not None and history.best_epoch < history.epochs else last)
    return history


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

"""The record of a trial as the steps after the training read it.

The training process writes it with `gamtune.results.record`.
"""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from gamtune.errors import DamagedError
from gamtune.results.json_artefact import JsonArtefact
from gamtune.results.record import VERSION
from gamtune.spec import Spec, canonical_json


class Record(JsonArtefact):
    """The record of a trial.

    Attributes
    ----------
    status : {"ok", "failed", "skipped"}
        ``skipped`` is the status of an empty slot, of which only the reason is known.
    reason : str, optional
        Why the trial failed, or why the slot is empty.
    trial : str
        Id of the trial.
    spec : dict
        All settings of the trial by their names in the config, and its weight seed and fold.
    data, code : str
        Fingerprints of the data set and of the training code.
    attempt : int
        Number of the attempt, from 1.
    gpu_slot : str, optional
        Slot of a GPU that the trial was trained on.
    system : dict
        The machine.
    versions : dict of str to str
        Versions of Python and of the libraries.
    metrics : dict of str to dict, optional
        Metrics by name for the parts ``train`` and ``validation``; a metric that is not a finite number is None.
    history : dict of str to list
        Curves by name, with one value per epoch.
    epochs_run : int
        Number of epochs until training stopped.
    best_epoch : int, optional
        Epoch, from 1, whose weights the model has.
    started, finished : float
        Times in seconds since 1970.
    seconds : float
        Duration of the trial.
    """

    VERSION = VERSION

    status: Literal["ok", "failed", "skipped"]
    reason: str | None = None
    trial: str = ""
    spec: dict[str, Any] = Field(default_factory=dict)
    data: str = ""
    code: str = ""
    attempt: int = 1
    gpu_slot: str | None = None
    system: dict[str, Any] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)
    metrics: dict[str, dict[str, float | None]] | None = None
    history: dict[str, list[float]] = Field(default_factory=dict)
    epochs_run: int = 0
    best_epoch: int | None = None
    started: float = 0.0
    finished: float = 0.0
    seconds: float = 0.0

    @model_validator(mode="after")
    def _has_metrics(self) -> Self:
        if self.status == "ok" and self.metrics is None:
            raise ValueError("it is the record of a finished trial without metrics")
        return self

    @classmethod
    def read(cls, path: Path, trial: str = "") -> Self:
        """Read a record.

        Parameters
        ----------
        path : Path
            The file.
        trial : str
            Id of the trial whose record it must be; empty if any trial will do.

        Raises
        ------
        DamagedError
            If the record is damaged, or is that of another trial.
        FileNotFoundError
            If there is no record.
        """
        record = super().read(path)
        if trial and record.trial and record.trial != trial:
            raise DamagedError(path, f"it is the record of trial {record.trial}, expected {trial}")
        return record

    @property
    def weight_seed(self) -> int:
        """The weight seed of the trial."""
        return int(self.spec["weight_seed"])

    @property
    def fold(self) -> int | None:
        """The validation fold of the trial, if there are folds."""
        fold: int | None = self.spec.get("fold")
        return fold

    def to_spec(self) -> Spec:
        """Return the specification of the trial."""
        return Spec.from_json(canonical_json(self.spec))

    def metric(self, part: str, name: str) -> float | None:
        """Return a metric of a part; None if the trial has no metrics or this one is not a finite number."""
        return (self.metrics or {}).get(part, {}).get(name)

    @property
    def validation_mse(self) -> float:
        """The mean squared error on the validation samples, by which finished trials are ranked.

        Raises
        ------
        ValueError
            If the trial has none.
        """
        error = self.metric("validation", "mse")
        if error is None:
            raise ValueError(f"trial {self.trial} has no validation MSE")
        return error

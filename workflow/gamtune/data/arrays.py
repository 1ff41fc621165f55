"""Memory-mapped arrays of a prepared data set."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gamtune.results.record import array_name

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Part:
    """The samples of one part of a data set.

    Attributes
    ----------
    x : (n, inputs) float32
        Standardised inputs.
    y : (n,) int32 or float64
        Classes, 0 to K - 1, or the values of a regression.
    """

    x: FloatArray
    y: npt.NDArray[Any]


@dataclass(frozen=True)
class Prepared:
    """A prepared data set.

    Attributes
    ----------
    folder : Path
        The folder with its arrays.
    fingerprint : str
        Fingerprint of the data set.
    inputs : int
        Number of inputs.
    classes : list, optional
        The classes; None for a regression.
    target_mean, target_sd : float, optional
        Mean and standard deviation of a regression's target in the training samples.
    """

    folder: Path
    fingerprint: str
    inputs: int
    classes: list[Any] | None
    target_mean: float | None = None
    target_sd: float | None = None

    @classmethod
    def open(cls, data_info: Path) -> "Prepared":
        """Open a data set without comparing its arrays with their fingerprints.

        Parameters
        ----------
        data_info : Path
            ``dataset.json`` of the data set.

        Raises
        ------
        FileNotFoundError
            If the file is missing.
        """
        content = json.loads(data_info.read_text(encoding="utf-8"))
        names = ("fingerprint", "inputs", "classes", "target_mean", "target_sd")
        return cls(data_info.parent, *(content[name] for name in names))

    @property
    def target_scale(self) -> tuple[float, float]:
        """The mean and standard deviation with which the target of a regression is standardised.

        Raises
        ------
        ValueError
            If the task is a classification.
        """
        if self.target_mean is None or self.target_sd is None:
            raise ValueError("a classification has no target scale")
        return self.target_mean, self.target_sd

    def part(self, name: str) -> Part:
        """Return the samples of ``train``, ``validation`` or ``test``."""
        return Part(*(np.load(self.folder / array_name(axis, name), mmap_mode="c") for axis in "xy"))

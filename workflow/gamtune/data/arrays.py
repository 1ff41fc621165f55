"""The arrays of a prepared data set, as trainings read them: memory-mapped, beside their digest."""

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
    """Rows of one part: ``x`` (n, inputs) float32, standardised; ``y`` (n,) int32 classes or float64 values."""

    x: FloatArray
    y: npt.NDArray[Any]


@dataclass(frozen=True)
class Prepared:
    """A prepared data set: where it lies and what ``digest.json`` says of it.

    ``classes`` is None for a regression, whose targets have mean ``target_mean`` and standard deviation ``target_sd``
    in training.
    """

    folder: Path
    digest: str
    inputs: int
    classes: list[Any] | None
    target_mean: float | None = None
    target_sd: float | None = None

    @classmethod
    def open(cls, digest_file: Path) -> "Prepared":
        """Open the data set that a ``digest.json`` describes.

        Raises
        ------
        FileNotFoundError
            If the file is missing.
        """
        said = json.loads(digest_file.read_text(encoding="utf-8"))
        names = ("digest", "inputs", "classes", "target_mean", "target_sd")
        return cls(digest_file.parent, *(said[name] for name in names))

    @property
    def target_scale(self) -> tuple[float, float]:
        """Mean and standard deviation that a regression's target is standardised with."""
        if self.target_mean is None or self.target_sd is None:
            raise ValueError("classes have no scale")
        return self.target_mean, self.target_sd

    def part(self, name: str) -> Part:
        """Rows of ``train``, ``validation`` or ``test``."""
        return Part(*(np.load(self.folder / array_name(axis, name), mmap_mode="c") for axis in "xy"))

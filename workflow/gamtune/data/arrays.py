"""The arrays of a prepared data set, as trainings read them: memory-mapped, beside their digest."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int32]
PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Part:
    """Rows of one part: ``x`` (n, inputs) float32, standardised; ``y`` (n,) int32, classes 0 to K-1."""

    x: FloatArray
    y: IntArray


@dataclass(frozen=True)
class Prepared:
    """A prepared data set: where it lies and what ``digest.json`` says of it."""

    folder: Path
    digest: str
    inputs: int
    classes: list[Any]

    @classmethod
    def open(cls, digest_file: Path) -> "Prepared":
        """Open the data set that a ``digest.json`` describes.

        Raises
        ------
        FileNotFoundError
            If the file is missing.
        """
        said = json.loads(digest_file.read_text(encoding="utf-8"))
        return cls(digest_file.parent, said["digest"], said["inputs"], said["classes"])

    def part(self, name: str) -> Part:
        """Rows of ``train``, ``validation`` or ``test``."""
        return Part(*(np.load(self.folder / f"{axis}_{name}.npy", mmap_mode="c") for axis in "xy"))

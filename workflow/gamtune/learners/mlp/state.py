"""Where a training stands after its last epoch, on disk, so that another can go on as if it had never stopped."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Arrays = list[npt.NDArray[np.float32]]
GROUPS = ("weights", "slots", "kept")


@dataclass(frozen=True)
class State:
    """The arrays of a training; its epochs and curves stand in its record.

    ``weights`` are the last epoch's, ``slots`` the optimizer's, ``kept`` the best epoch's weights, empty where the
    training has no patience.
    """

    weights: Arrays
    slots: Arrays
    kept: Arrays


def save_state(state: State, path: Path) -> None:
    """Write a ``.npz`` file."""
    arrays = {f"{group}_{n}": array for group in GROUPS for n, array in enumerate(getattr(state, group))}
    np.savez(path, **arrays)


def load_state(path: Path) -> State:
    """What `save_state` wrote; nothing in the file can run."""
    with np.load(path, allow_pickle=False) as file:
        groups: dict[str, Any] = {
            group: [file[f"{group}_{n}"] for n in range(sum(name.startswith(f"{group}_") for name in file.files))]
            for group in GROUPS
        }
    return State(**groups)

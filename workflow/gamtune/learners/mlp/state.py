"""The state of a trial after its last epoch, from which a longer trial resumes with the same result."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Arrays = list[npt.NDArray[np.float32]]
GROUPS = ("weights", "slots", "kept")


@dataclass(frozen=True)
class State:
    """The arrays of a trial; its number of epochs and its curves are in its record.

    Attributes
    ----------
    weights : list of float32
        Weights after the last epoch.
    slots : list of float32
        State of the optimizer.
    kept : list of float32
        Weights of the best epoch; empty without early stopping.
    """

    weights: Arrays
    slots: Arrays
    kept: Arrays


def save_state(state: State, path: Path) -> None:
    """Write a state to a ``.npz`` file."""
    arrays = {f"{group}_{n}": array for group in GROUPS for n, array in enumerate(getattr(state, group))}
    np.savez(path, **arrays)


def load_state(path: Path) -> State:
    """Return the state that `save_state` has written, without unpickling."""
    with np.load(path, allow_pickle=False) as file:
        groups: dict[str, Any] = {
            group: [file[f"{group}_{n}"] for n in range(sum(name.startswith(f"{group}_") for name in file.files))]
            for group in GROUPS
        }
    return State(**groups)

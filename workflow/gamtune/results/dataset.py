"""The description of a prepared data set.

A training process reads it before each trial; therefore this module does not import pydantic.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gamtune.files import read_json, write_text

VERSION = 1  # of the format; increased when the meaning of an attribute changes
OPTIONAL = ("folds", "arrays")  # absent from the file if they are empty


@dataclass(frozen=True)
class DatasetInfo:
    """The description of a prepared data set, without its arrays.

    Attributes
    ----------
    task : {"classification", "regression"}
        The task.
    inputs : int
        Number of inputs of the network.
    classes : list, optional
        The classes in the order of the network's outputs; None for a regression.
    target_mean, target_sd : float, optional
        Mean and standard deviation of a regression's target in the training samples.
    selected_on : {"validation", "test"}
        The samples that are used for selection; with ``test``, the test samples serve as validation samples.
    rows : dict of str to int
        Number of samples of each part.
    fingerprint : str
        Fingerprint of the data set.
    folds : int
        Number of the folds whose data sets this one summarises; 0 for a data set that has arrays.
    arrays : dict of str to str
        Fingerprint of each array by its name, such as ``x_train``.
    """

    task: str
    inputs: int
    classes: list[Any] | None
    target_mean: float | None
    target_sd: float | None
    selected_on: str
    rows: dict[str, int]
    fingerprint: str
    folds: int = 0
    arrays: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "DatasetInfo":
        """Read the file and compare it with its checksum.

        Raises
        ------
        DamagedError
            If the file is damaged, lacks an attribute or has another version.
        FileNotFoundError
            If there is no such file.
        """
        names = [name for name in cls.__dataclass_fields__ if name not in OPTIONAL]
        content = read_json(path, *names, version=VERSION)
        known = {name: content[name] for name in (*names, *OPTIONAL) if name in content}
        return cls(**known)

    def write(self, path: Path) -> None:
        """Write the file, with its checksum."""
        content = {name: value for name, value in asdict(self).items() if value or name not in OPTIONAL}
        write_text(path, json.dumps({"version": VERSION} | content, indent=1) + "\n")

    @property
    def outputs(self) -> int:
        """Number of outputs of the network: one per class, or one."""
        return len(self.classes) if self.classes else 1

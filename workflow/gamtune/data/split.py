"""Which rows train, which validate and which test: at random, the classes in equal proportion."""

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import train_test_split

from gamtune.config.errors import ConfigError
from gamtune.config.study import Data
from gamtune.data.arrays import PARTS


def split_rows(data: Data, target: npt.NDArray[Any], classes: list[Any]) -> npt.NDArray[np.str_]:
    """Assign every row to a part.

    Parameters
    ----------
    data : Data
        Fractions and seed.
    target : (n,) int
        Class of each row.
    classes : list
        Their names, for messages.

    Returns
    -------
    (n,) str
        ``train``, ``validation`` or ``test``.

    Raises
    ------
    ConfigError
        If a class has too few rows to be in every part.
    """
    sizes = np.bincount(target)
    if sizes.min() < len(PARTS):
        found = f"class {classes[sizes.argmin()]!r} has {sizes.min()} of the {len(target)} rows"
        raise ConfigError([f"data.target: {found}, expected at least {len(PARTS)}, one for each part"])
    parts = np.full(len(target), "train", dtype="<U10")
    rest = np.arange(len(target))
    for name, rows in (
        ("test", _share(data.test.fraction, target)),
        ("validation", _share(data.validation.fraction, target)),
    ):
        try:
            rest, taken = train_test_split(rest, test_size=rows, random_state=data.seed, stratify=target[rest])
        except ValueError as error:
            raise ConfigError([f"data.{name}.fraction: {rows} of {len(target)} rows: {error}"]) from None
        parts[taken] = name
    for name in PARTS:
        absent = set(range(len(sizes))) - set(target[parts == name].tolist())
        if absent:
            line = (
                f"data: {len(absent)} of {len(sizes)} classes have no row in {name}; add rows or change the fractions"
            )
            raise ConfigError([line])
    return parts


def _share(fraction: float, target: npt.NDArray[Any]) -> int:
    return max(1, round(fraction * len(target)))

"""Where rows come from: each source as a table of numeric features and a class a row."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gamtune.config.errors import ConfigError
from gamtune.config.study import Data
from gamtune.data.header import check_header, is_parquet

MAX_CLASSES = 1000  # more distinct targets than this are no classes


@dataclass(frozen=True)
class Rows:
    """All rows of a source: ``features`` (n, p) numeric, ``target`` (n,) indices into ``classes``."""

    features: pd.DataFrame
    target: np.ndarray[Any, np.dtype[np.int32]]
    classes: list[Any]


def read_rows(data: Data) -> Rows:
    """Read the source that the config names.

    Raises
    ------
    ConfigError
        With one line that names file, row and column of what cannot be used.
    """
    if data.source == "digits":
        from sklearn.datasets import load_digits  # heavy, and only this source needs it

        bunch = load_digits(as_frame=True)
        features, target = bunch.data, bunch.target
    else:
        features, target = _read_table(data)
    classes, indices = np.unique(target.to_numpy(), return_inverse=True)
    return Rows(features, indices.astype(np.int32), classes.tolist())


def _read_table(data: Data) -> tuple[pd.DataFrame, "pd.Series[Any]"]:
    check_header(data)
    path = Path(str(data.path))
    try:
        table = pd.read_parquet(path) if is_parquet(path) else pd.read_csv(path, keep_default_na=False)
    except (OSError, ValueError) as error:  # pandas' and pyarrow's own errors are among these
        raise ConfigError([f"{path} cannot be read: {str(error).strip().splitlines()[0]}"]) from None
    table = table.drop(columns=data.drop)
    target = table.pop(str(data.target))
    if table.shape[1] == 0:
        raise ConfigError([f"{path}: no column is left to learn from"])
    if len(table) == 0:
        raise ConfigError([f"{path}: no rows"])
    _check_target(path, target)
    numeric = {name: _numbers(path, table[name]) for name in table}
    return pd.DataFrame(numeric), target


def _check_target(path: Path, target: "pd.Series[Any]") -> None:
    missing = target.isna() | (target.astype(str).str.strip() == "")
    if missing.any():
        row = int(np.flatnonzero(missing)[0]) + 1
        raise ConfigError([f"{path}: row {row}, column {target.name!r}: the class is missing"])
    distinct = target.nunique()
    fractions = pd.api.types.is_float_dtype(target) and bool((target % 1 != 0).any())
    if fractions or distinct > MAX_CLASSES:
        raise ConfigError([f"{path}: column {target.name!r} holds {distinct} distinct numbers, expected classes"])
    if distinct < 2:
        raise ConfigError([f"{path}: column {target.name!r} holds one class only, expected at least two"])


def _numbers(path: Path, column: "pd.Series[Any]") -> "pd.Series[Any]":
    """The column as numbers, or a message about its first cell that is none."""
    numbers = pd.to_numeric(column, errors="coerce")
    unusable = ~np.isfinite(numbers.to_numpy(dtype=float))
    if unusable.any():
        place = int(np.flatnonzero(unusable)[0])
        cell = str(column.iloc[place]).strip()
        found = f"{cell!r} is not a finite number" if cell and cell != "nan" else "the cell is empty"
        line = f"{path}: row {place + 1}, column {column.name!r}: {found}; correct it or list the column in data.drop"
        raise ConfigError([line])
    return numbers.astype(float)

"""All rows of a source, as its reader found them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gamtune.data.column_use import ColumnUse
from gamtune.tables.dialect import STANDARD, Dialect


def row_number(row: int) -> str:
    """Return the place of a row, whose index counts from 0, in a table without a file."""
    return f"row {row + 1}"


@dataclass(frozen=True)
class Rows:
    """The rows of a source.

    Attributes
    ----------
    features : (n, p) data frame
        Raw columns: float64 where numeric (NaN is missing), text where categorical (None is missing).
    target : (n,) int32 or float64
        Indices into ``classes``; the values themselves where there are no classes.
    target_name : str
        The target's column.
    classes : list, optional
        Names of the classes; None for a regression.
    parts : (n,) str, optional
        ``train``, ``validation`` or ``test`` where the source says it; an empty text leaves a row to the split.
    groups : (n,) series, optional
        Rows of equal value stay together in every split; named as its column.
    missing : sequence of str
        Words that stand for a missing value in text.
    dialect : Dialect
        How the cells of CSV files are written.
    place : callable
        Returns the file and the row number of a row by its index, for messages.
    columns : sequence of ColumnUse
        How the columns of the user's files were interpreted; empty for other sources.
    """

    features: pd.DataFrame
    target: npt.NDArray[Any]
    target_name: str
    classes: list[Any] | None = None
    parts: npt.NDArray[np.str_] | None = None
    groups: "pd.Series[Any] | None" = None
    missing: Sequence[str] = ()
    dialect: Dialect = STANDARD
    place: Callable[[int], str] = row_number
    columns: Sequence[ColumnUse] = ()

    @property
    def task(self) -> str:
        """``classification`` or ``regression``."""
        return "regression" if self.classes is None else "classification"


def class_indices(target: "pd.Series[Any]") -> tuple[npt.NDArray[np.int32], list[Any]]:
    """(n,) indices of each row's class, and the classes in their order: sorted, or as a categorical series has them."""
    categories = pd.Categorical(target).remove_unused_categories()
    return categories.codes.astype(np.int32), categories.categories.tolist()

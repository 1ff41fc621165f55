"""The samples of a data source as returned by its reader."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gamtune.results.csv_rows import ColumnUse
from gamtune.tables.dialect import STANDARD, Dialect


def row_number(row: int) -> str:
    """Return the row number, counted from 1, of the sample at an index, for tables that are not read from a file."""
    return f"row {row + 1}"


@dataclass(frozen=True)
class Rows:
    """The samples of a data source.

    Attributes
    ----------
    features : (n, p) data frame
        Raw columns: float64 where numeric (NaN is missing), text where categorical (None is missing).
    target : (n,) int32 or float64
        Indices into ``classes``, or the values of a regression.
    target_name : str
        Name of the target column.
    classes : list, optional
        The classes; None for a regression.
    parts : (n,) str, optional
        ``train``, ``validation`` or ``test`` if the source assigns the sample to a part, otherwise an empty text.
    groups : (n,) series, optional
        Samples with equal values stay in the same part of every split; its name is that of the column.
    missing : sequence of str
        Words in text columns that stand for a missing value.
    dialect : Dialect
        Format of CSV files.
    place : callable
        Return file and row number of a sample by its index, for messages.
    columns : sequence of ColumnUse
        Interpretation of the columns of the user's files; empty for other sources.
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
    """Return the class indices of a target and its classes.

    Parameters
    ----------
    target : (n,) series
        Labels.

    Returns
    -------
    indices : (n,) int32
        Index of the class of each sample.
    classes : list
        The classes that occur, sorted, or in the order of the categories of a categorical series.
    """
    categories = pd.Categorical(target).remove_unused_categories()
    return categories.codes.astype(np.int32), categories.categories.tolist()

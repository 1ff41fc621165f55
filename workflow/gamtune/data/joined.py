"""The files of a study as one table that maps each sample to its file and row."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gamtune.config.data_section import Data
from gamtune.results.csv_rows import ColumnUse
from gamtune.tables.cells import Cell
from gamtune.tables.column import Column, FloatArray
from gamtune.tables.table import Table
from gamtune.tables.types import Type


@dataclass(frozen=True)
class Joined:
    """The concatenated rows of several files.

    Attributes
    ----------
    tables : sequence of Table
        The files, which have the same columns.
    """

    tables: Sequence[Table]
    _columns: dict[str, list[Column]] = field(default_factory=dict)

    @property
    def files(self) -> str:
        """Names of the files, for messages."""
        return ", ".join(str(table.path) for table in self.tables)

    def columns(self, name: str) -> list[Column]:
        """Return the column with this name from each file that contains it."""
        if name not in self._columns:
            self._columns[name] = [table.column(name) for table in self.tables if name in table.columns]
        return self._columns[name]

    def place(self, row: int) -> str:
        """Return file and row number of a sample for messages; ``row`` counts from 0 over all files."""
        file = int(np.searchsorted(self._starts, row, side="right")) - 1
        return self.tables[file].place(row - int(self._starts[file]))

    def texts(self, columns: Sequence[Column]) -> npt.NDArray[np.object_]:
        """Return the cells of a column as text, None where a value is missing."""
        return np.concatenate([column.texts().to_numpy() for column in columns])

    def numbers(self, columns: Sequence[Column], largest: float = np.inf, problem: str = "") -> FloatArray:
        """Return the cells of a column as numbers, NaN where a value is missing.

        Raises
        ------
        InputError
            If the absolute value of a number is larger than ``largest``.
        """
        numbers = np.concatenate([column.numbers() for column in columns])
        self.refuse(np.abs(numbers) > largest, columns, problem)
        return numbers

    def refuse(self, rows: npt.NDArray[np.bool_], columns: Sequence[Column], problem: str) -> None:
        """Raise an error for the first of these rows, if any; ``{cell}`` in the message is replaced by its cell."""
        for column, found in zip(columns, self.split(rows), strict=True):
            if found.any():
                raise column.error(int(found.argmax()), problem)

    def split(self, cells: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
        """Split an array over all samples into one array per file."""
        return np.split(cells, self._starts[1:])

    @cached_property
    def _starts(self) -> npt.NDArray[np.intp]:
        """Index of the first sample of each file."""
        return np.cumsum([0, *map(len, self.tables[:-1])])


def column_uses(joined: Joined, data: Data, classes: bool) -> list[ColumnUse]:
    """Return the interpretation of each column of the training file.

    Parameters
    ----------
    joined : Joined
        The files.
    data : Data
        The section `data`, which assigns roles to columns.
    classes : bool
        Whether the target holds classes.
    """
    uses: dict[str | None, str] = {
        data.target: f"target ({'classes' if classes else 'values'})",
        data.group_column: "group",
        data.split_column: "split",
        **dict.fromkeys(data.drop, "left out (data.drop)"),
    }
    found = []
    for name in joined.tables[0].names:
        columns = joined.columns(name)
        kind = _type(columns, name in data.categorical)
        numbers = [column.values for column in columns if column.values is not None]
        if kind is Type.NUMBER:
            distinct = pd.Series(np.concatenate(numbers)).nunique() if numbers else 0
        else:
            distinct = len({text for column in columns for text in column.counts})
        missing = sum(column.missing for column in columns)
        example = next((column.text(column.first_present()) for column in columns if column.missing < len(column)), "")
        found.append(ColumnUse(name, kind.value, uses.get(name, "input"), missing, distinct, example))
    return found


def _type(columns: Sequence[Column], categorical: bool) -> Type:
    """Return the type of a column that is not refused or not used."""
    kinds = {kind for column in columns for kind, count in column.kinds.items() if count}
    if categorical or kinds - {Cell.NUMBER, Cell.TRUTH} or len(kinds) > 1:
        return Type.CATEGORY
    return Type.TRUTH if kinds == {Cell.TRUTH} else Type.NUMBER

"""The files of a study as one table, whose rows know their places."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from gamtune.tables.column import Column, FloatArray
from gamtune.tables.table import Table


@dataclass(frozen=True)
class Joined:
    """The rows of several files, one after the other.

    Attributes
    ----------
    tables : sequence of Table
        The files, which have the same columns.
    """

    tables: Sequence[Table]

    @property
    def files(self) -> str:
        """Names of the files, for messages."""
        return ", ".join(str(table.path) for table in self.tables)

    def columns(self, name: str) -> list[Column]:
        """Return a column of each file."""
        return [table.column(name) for table in self.tables]

    def place(self, row: int) -> str:
        """Return file and row of a sample, for messages; ``row`` counts from 0 over all files."""
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
            At the first number whose absolute value is larger than ``largest``.
        """
        numbers = np.concatenate([column.numbers() for column in columns])
        self.refuse(np.abs(numbers) > largest, columns, problem)
        return numbers

    def refuse(self, rows: npt.NDArray[np.bool_], columns: Sequence[Column], problem: str) -> None:
        """Raise an error at the first of these rows, if there is any; ``{cell}`` stands for its cell."""
        for column, found in zip(columns, self.split(rows), strict=True):
            if found.any():
                raise column.fault(int(found.argmax()), problem)

    def split(self, cells: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
        """Return the cells of each file."""
        return np.split(cells, self._starts[1:])

    @cached_property
    def _starts(self) -> npt.NDArray[np.intp]:
        """Number of the first row of each file."""
        return np.cumsum([0, *map(len, self.tables[:-1])])

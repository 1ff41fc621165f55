"""One column of a table: which kinds of cells it has, and its cells as numbers or as text."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gamtune.errors import InputError
from gamtune.tables.cells import EXACT, LEADING_ZERO, TRUTH, Cell, kind_of

if TYPE_CHECKING:
    import pandas as pd

FloatArray = npt.NDArray[np.float64]
WHOLE_FLOAT = re.compile(r"([+-]?\d+)\.0+")


@dataclass(frozen=True)
class Column:
    """A column of one file.

    Attributes
    ----------
    name : str
        Its name.
    array : pyarrow.Array
        Its cells, null where a value is missing.
    place : callable
        File and row of a cell, for messages, by the number of its row from 0.
    decimal : str
        Decimal point of numbers written as text.
    """

    name: str
    array: Any
    place: Callable[[int], str]
    decimal: str = "."

    def __len__(self) -> int:
        return len(self.array)

    @property
    def missing(self) -> int:
        """Number of missing cells."""
        return int(self.array.null_count)

    @cached_property
    def kinds(self) -> Mapping[Cell, int]:
        """Number of cells of each kind."""
        present = len(self) - self.missing
        if not present:
            return {}
        if self._all_numbers:
            return {Cell.NUMBER: present}
        counts: dict[Cell, int] = {}
        for text, count in self._texts.items():
            kind = self._kind(text)
            counts[kind] = counts.get(kind, 0) + count
        return counts

    def distinct(self, *kinds: Cell) -> list[str]:
        """Return the distinct texts of these kinds, in the order of the file."""
        return [text for text in self._texts if self._kind(text) in kinds]

    def first(self, *kinds: Cell) -> tuple[int, str] | None:
        """Return row and text of the first cell of these kinds; None if there is none."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if self._all_numbers and Cell.NUMBER not in kinds:
            return None
        found = pc.is_in(self._as_text, pa.array(self.distinct(*kinds), pa.string()))
        row = pc.index(found, True).as_py()
        return None if row < 0 else (row, self._as_text[row].as_py())

    def fault(self, row: int, found: str) -> InputError:
        """Return the error that names a cell of this column; ``{cell}`` in the text stands for its content."""
        cell = repr(str(self.array[row].as_py()).strip())
        return InputError([f"{self.place(row)}, column {self.name!r}: {found.replace('{cell}', cell)}"])

    def numbers(self) -> FloatArray:
        """Return the cells as numbers, 0 and 1 for truth values, NaN where a value is missing.

        Raises
        ------
        InputError
            At the first cell that is no finite number.
        """
        if set(self.kinds) == {Cell.TRUTH}:
            return np.array([np.nan if cell is None else TRUTH[cell.lower()] for cell in self._as_text.to_pylist()])
        others = [kind for kind in Cell if kind is not Cell.NUMBER]
        fault = self.first(*others)
        if fault is not None:
            row, text = fault
            raise self.fault(row, f"{{cell}} is {self._kind(text).value}, expected a number")
        if self._values is None:  # no value at all, or numbers that are written with a decimal comma
            return np.full(len(self), np.nan)
        infinite = np.flatnonzero(np.isinf(self._values))
        if len(infinite):
            raise self.fault(int(infinite[0]), "{cell} is too large for a number")
        return self._values

    def texts(self) -> "pd.Series[Any]":
        """Return the cells as text, None where a value is missing; a whole number is written without a point."""
        import pandas as pd

        spelt = {text: WHOLE_FLOAT.sub(r"\1", text) if WHOLE_FLOAT.fullmatch(text) else text for text in self._texts}
        cells = [None if cell is None else spelt[cell] for cell in self._as_text.to_pylist()]
        return pd.Series(cells, name=self.name, dtype=object)

    def series(self) -> "pd.Series[Any]":
        """Return the cells as numbers or truth values if all of them are, otherwise as `texts` does."""
        import pandas as pd

        if set(self.kinds) == {Cell.TRUTH}:
            cells = [None if cell is None else TRUTH[cell.lower()] for cell in self._as_text.to_pylist()]
            return pd.Series(cells, name=self.name)
        if not set(self.kinds) <= {Cell.NUMBER, Cell.INFINITE, Cell.LONG, Cell.CODE} or self._values is None:
            return self.texts()
        whole = self.missing == 0 and self._is_whole and np.abs(self._values).max(initial=0) < EXACT
        return pd.Series(self._values.astype(np.int64) if whole else self._values, name=self.name)

    @cached_property
    def _is_text(self) -> bool:
        import pyarrow.types as types

        return bool(types.is_string(self.array.type))

    @cached_property
    def _values(self) -> FloatArray | None:
        """The cells as numbers as far as pyarrow reads them; None if one of them is none."""
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.types as types

        kind = self.array.type
        if not (self._is_text or types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)):
            return None
        cells = self.array
        if self._is_text and self.decimal == ",":
            for old, new in ((",", "\x1f"), (".", ","), ("\x1f", ".")):
                cells = pc.replace_substring(cells, old, new)
        try:
            values: FloatArray = pc.cast(cells, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        except pa.ArrowInvalid:
            return None
        return values

    @cached_property
    def _all_numbers(self) -> bool:
        """Whether each cell is a plain number, decided without looking at single texts."""
        import pyarrow.compute as pc

        values = self._values
        if values is None or np.isinf(values).any() or int(np.isnan(values).sum()) != self.missing:
            return False
        if not self._is_whole:
            return True
        if np.nanmax(np.abs(values), initial=0) >= EXACT:
            return not self._is_text and not self._is_integer
        return not self._is_text or not pc.any(pc.match_substring_regex(self.array, LEADING_ZERO)).as_py()

    @cached_property
    def _is_whole(self) -> bool:
        """Whether all numbers are whole."""
        values = self._values
        return values is not None and not (values[~np.isnan(values)] % 1 != 0).any()

    @property
    def _is_integer(self) -> bool:
        import pyarrow.types as types

        return bool(types.is_integer(self.array.type))

    @cached_property
    def _as_text(self) -> Any:
        """The cells as a pyarrow array of text."""
        import pyarrow as pa
        import pyarrow.types as types

        if self._is_text:
            return self.array
        if types.is_floating(self.array.type):  # as Python writes them, 0.1 and not 0.10000000000000001
            return pa.array([None if cell is None else repr(cell) for cell in self.array.to_pylist()], pa.string())
        return pa.array([None if cell is None else str(cell) for cell in self.array.to_pylist()], pa.string())

    @cached_property
    def _texts(self) -> dict[str, int]:
        """The distinct texts with their number of cells, in the order of the file."""
        import pyarrow.compute as pc

        counted = pc.value_counts(self._as_text.drop_null())
        return dict(zip(counted.field(0).to_pylist(), counted.field(1).to_pylist(), strict=True))

    def _kind(self, text: str) -> Cell:
        import pyarrow.types as types

        if types.is_temporal(self.array.type):
            return Cell.DATE
        return kind_of(text, self.decimal if self._is_text else ".")

"""A column of a table, with the kinds of its cells and conversions to numbers and text."""

import re
from collections.abc import Callable, Collection, Mapping
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
LONGEST = 60  # characters of a cell in a message
WHOLE_FLOAT = re.compile(r"([+-]?\d+)\.0+")


@dataclass(frozen=True)
class Column:
    """A column of one file.

    Attributes
    ----------
    name : str
        Name of the column.
    array : pyarrow.Array
        The cells, null where a value is missing.
    place : callable
        Return file and row number of a cell by its index, for messages.
    decimal : str
        Decimal separator of numbers in text.
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
        if self.all_numbers:
            return {Cell.NUMBER: len(self) - self.missing}
        counts: dict[Cell, int] = {}
        for text, count in self.counts.items():
            kind = self.kind(text)
            counts[kind] = counts.get(kind, 0) + count
        return counts

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """Number of cells of each distinct text, in the order of the file."""
        import pyarrow.compute as pc

        counted = pc.value_counts(self._as_text.drop_null())
        return dict(zip(counted.field(0).to_pylist(), counted.field(1).to_pylist(), strict=True))

    def kind(self, text: str) -> Cell:
        """Return the kind of a cell by its text."""
        import pyarrow.types as types

        if types.is_temporal(self.array.type):
            return Cell.DATE
        return kind_of(text, self.decimal if self._is_text else ".")

    def row_of(self, texts: Collection[str]) -> int | None:
        """Return the index of the first cell with one of these texts; None if there is none."""
        import pyarrow as pa
        import pyarrow.compute as pc

        row = pc.index(pc.is_in(self._as_text, pa.array(list(texts), pa.string())), True).as_py()
        return None if row < 0 else int(row)

    def text(self, row: int) -> str:
        """Return the text of a cell, shortened for messages."""
        cell = self.array[row].as_py()
        if cell is None:
            return ""
        text = repr(cell) if isinstance(cell, bytes) else str(cell).strip()
        return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."

    @property
    def file(self) -> str:
        """Name of the file, for messages."""
        return self.place(0).rpartition(": ")[0]

    def first_missing(self) -> int:
        """Return the index of the first missing cell."""
        import pyarrow.compute as pc

        return int(pc.index(pc.is_null(self.array), True).as_py())

    def first_present(self) -> int:
        """Return the index of the first cell that is not missing."""
        import pyarrow.compute as pc

        return int(pc.index(pc.is_valid(self.array), True).as_py())

    def error(self, row: int, found: str) -> InputError:
        """Return an error about a cell of this column; ``{cell}`` in the text is replaced by its content."""
        verb = "" if found.startswith(" ") else ": "
        found = found.replace("{cell}", repr(self.text(row)))
        return InputError([f"{self.place(row)}, column {self.name!r}{verb}{found}"])

    def numbers(self, problem: str = "") -> FloatArray:
        """Return the cells as numbers, 0 and 1 for booleans, NaN where a value is missing.

        Parameters
        ----------
        problem : str
            Message about a cell that is not a finite number; by default it states the kind of the cell.

        Raises
        ------
        InputError
            If a cell is not a finite number.
        """
        if set(self.kinds) == {Cell.TRUTH}:
            cells = [np.nan if cell is None else TRUTH[cell.lower()] for cell in self._as_text.to_pylist()]
            return np.array(cells, dtype=float)
        if not self.all_numbers:
            others = {text: kind for text in self.counts if (kind := self.kind(text)) is not Cell.NUMBER}
            row = self.row_of(others)
            if row is not None:
                found = others[self._as_text[row].as_py()]
                raise self.error(row, problem or f"{{cell}} is {found.value}, expected a number")
        if self.values is None:  # all cells are missing
            return np.full(len(self), np.nan)
        infinite = np.flatnonzero(np.isinf(self.values))
        if len(infinite):
            raise self.error(int(infinite[0]), problem or "{cell} is too large for a floating-point number")
        return self.values

    def texts(self) -> "pd.Series[Any]":
        """Return the cells as text, None where a value is missing; whole numbers have no decimal point."""
        import pandas as pd

        written = {text: WHOLE_FLOAT.sub(r"\1", text) if WHOLE_FLOAT.fullmatch(text) else text for text in self.counts}
        cells = [None if cell is None else written[cell] for cell in self._as_text.to_pylist()]
        return pd.Series(cells, name=self.name, dtype=object)

    def raw(self) -> list[str | None]:
        """Return the text of the cells without surrounding spaces, None where a value is missing."""
        return list(self._as_text.to_pylist())

    def series(self) -> "pd.Series[Any]":
        """Return the cells as numbers or booleans if all of them are, otherwise as text like `texts`."""
        import pandas as pd

        if set(self.kinds) == {Cell.TRUTH}:
            cells = [None if cell is None else TRUTH[cell.lower()] for cell in self._as_text.to_pylist()]
            return pd.Series(cells, name=self.name)
        if not set(self.kinds) <= {Cell.NUMBER, Cell.INFINITE, Cell.LONG, Cell.CODE} or self.values is None:
            return self.texts()
        whole = self.missing == 0 and self._is_whole and np.abs(self.values).max(initial=0) < EXACT
        return pd.Series(self.values.astype(np.int64) if whole else self.values, name=self.name)

    @property
    def is_simple(self) -> bool:
        """Whether the cells are numbers, booleans, text, dates or times, not lists, records or bytes."""
        import pyarrow.types as types

        kind = self.array.type
        return not (
            types.is_nested(kind)
            or types.is_binary(kind)
            or types.is_large_binary(kind)
            or types.is_fixed_size_binary(kind)
        )

    @cached_property
    def _is_text(self) -> bool:
        import pyarrow.types as types

        return bool(types.is_string(self.array.type))

    @cached_property
    def values(self) -> FloatArray | None:
        """The cells as numbers; None if pyarrow cannot convert all of them."""
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
    def all_numbers(self) -> bool:
        """Whether each cell is a finite number that float64 represents, without a leading zero."""
        import pyarrow as pa
        import pyarrow.compute as pc

        values = self.values
        if values is None or np.isinf(values).any() or int(np.isnan(values).sum()) != self.missing:
            return False
        if not self._is_text and not self._is_integer:
            return True
        whole = values % 1 == 0
        if np.abs(values[whole]).max(initial=0) >= EXACT:
            return False
        if self._is_integer:
            return True
        cells = self.array if whole.all() else self.array.filter(pa.array(whole))
        return not pc.any(pc.match_substring_regex(cells, LEADING_ZERO)).as_py()

    @property
    def are_compact_dates(self) -> bool:
        """Whether all cells are whole numbers with the form YYYYMMDD of a date."""
        if self.values is None or not self._is_whole:
            return False
        years, days = np.divmod(self.values[~np.isnan(self.values)], 10_000)
        months, days = np.divmod(days, 100)
        found = (years >= 1900) & (years < 2100) & (months >= 1) & (months <= 12) & (days >= 1) & (days <= 31)
        return bool(found.all())

    @cached_property
    def _is_whole(self) -> bool:
        """Whether all numbers are whole."""
        if self.values is None:
            return False
        values = self.values[np.isfinite(self.values)]
        return not (values[:100] % 1 != 0).any() and not (values % 1 != 0).any()  # the first values usually decide

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
        if types.is_floating(self.array.type):  # repr gives 0.1, not 0.10000000000000001
            return pa.array([None if cell is None else repr(cell) for cell in self.array.to_pylist()], pa.string())
        return pa.array([None if cell is None else str(cell) for cell in self.array.to_pylist()], pa.string())

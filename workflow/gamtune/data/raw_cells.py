"""Convert the cells of new samples, of any type, to numbers and to the levels that a model was trained with."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gamtune.data.cells import as_text, blank, is_number
from gamtune.data.preprocessing import MISSING_LEVEL, Preprocessing
from gamtune.data.rows import row_number
from gamtune.errors import InputError
from gamtune.tables.cells import TRUTH

LARGEST = float(np.finfo(np.float32).max)
MOST_LEVELS = 5  # unseen levels of a column that a message lists
SIMILAR = 0.8  # smallest similarity of a suggested level


class CellError(InputError):
    """A cell of the numeric column ``column`` is not a finite number."""

    def __init__(self, place: str, column: str, problem: str) -> None:
        self.column = column
        super().__init__([f"{place}, column {column!r}: {problem}"])


@dataclass(frozen=True)
class Unseen:
    """Levels of a column that do not occur in the training data.

    Attributes
    ----------
    column : str
        Name of the column.
    counts : mapping of str to int
        Number of samples per level, the most frequent first.
    levels : sequence of str
        The levels in the training data.
    """

    column: str
    counts: Mapping[str, int]
    levels: Sequence[str]

    def __str__(self) -> str:
        texts = [self._described(level, count) for level, count in list(self.counts.items())[:MOST_LEVELS]]
        if len(self.counts) > MOST_LEVELS:
            texts.append(f"{len(self.counts) - MOST_LEVELS} more levels")
        total = sum(self.counts.values())
        samples = "1 sample has a level" if total == 1 else f"{total:,} samples have a level"
        return f"column {self.column!r}: {samples} that is not in the training data and counts as missing: " + (
            ", ".join(texts)
        )

    def _described(self, level: str, count: int) -> str:
        folded = {known_level.casefold(): known_level for known_level in self.levels}
        near = difflib.get_close_matches(level.casefold(), folded, n=1, cutoff=SIMILAR)
        hint = f"; did you mean {folded[near[0]]!r}?" if near else ""
        return f"{level!r} ({count:,}{hint})"


def raw_features(
    preprocessing: Preprocessing, rows: pd.DataFrame, place: Callable[[int], str] = row_number
) -> tuple[pd.DataFrame, list[Unseen]]:
    """Return the columns of new samples as required by `Preprocessing.apply`, and their unseen levels.

    Parameters
    ----------
    preprocessing : Preprocessing
        The preprocessing of the model.
    rows : (n, p) data frame
        The raw columns that the model was trained on; other columns are ignored.
    place : callable
        Return file and row number of a sample by its position, for messages.

    Raises
    ------
    CellError
        If a cell of a numeric column is not a finite number.
    InputError
        If a number is too far from the training mean to be standardised.
    """
    features: dict[str, Any] = {}
    unseen: list[Unseen] = []
    for name in preprocessing.columns:
        if name in preprocessing.levels:
            levels = [level for level in preprocessing.levels[name] if level != MISSING_LEVEL]
            text, found = raw_levels(rows[name], levels, preprocessing.missing)
            features[name] = text.to_numpy(object)
            unseen += [] if found is None else [found]
        else:
            features[name] = raw_numbers(rows[name], preprocessing.missing, place)
    table = pd.DataFrame(features)
    preprocessing.check(table, place)
    return table, unseen


def raw_numbers(
    column: "pd.Series[Any]", missing: Sequence[str] = (), place: Callable[[int], str] = row_number
) -> npt.NDArray[np.float64]:
    """Return a column as float64, NaN where a cell is missing.

    Integers, booleans, decimals, nullable types and text with numbers are accepted.

    Parameters
    ----------
    column : (n,) series
        Cells of any type.
    missing : sequence of str
        Words in text that stand for a missing value.
    place : callable
        Return file and row number of a cell by its position, for messages.

    Raises
    ------
    CellError
        If a cell is not a finite number in single precision.
    """
    if is_number(column):
        values = column.to_numpy(dtype=float, na_value=np.nan)
        gaps = np.isnan(values)
    else:
        cells = column.astype(object)
        cells = cells.where(~(blank(cells) | cells.isin(list(missing))), None)
        scalars = cells.where(cells.map(lambda cell: isinstance(cell, str | Real | Decimal | np.bool_)), None)
        booleans = scalars.map(lambda cell: TRUTH.get(str(cell).strip().lower()))
        numbers = booleans if booleans.notna().equals(cells.notna()) else pd.to_numeric(scalars, errors="coerce")
        values = numbers.to_numpy(dtype=float, na_value=np.nan)
        gaps = cells.isna().to_numpy()
    invalid = np.flatnonzero(~gaps & ~(np.abs(values) <= LARGEST))
    if len(invalid):
        cell = str(column.iloc[invalid[0]]).strip()
        raise CellError(
            place(int(invalid[0])), str(column.name), f"{cell!r} is not a finite number in single precision"
        )
    return values


def raw_levels(
    column: "pd.Series[Any]", levels: Sequence[str], missing: Sequence[str] = ()
) -> tuple["pd.Series[Any]", Unseen | None]:
    """Return a column as levels of a model, None where a cell is missing, and its unseen levels.

    A cell that is stored as a number or boolean is matched by value: 1000 is the level '01000' if no other level has
    the value 1000.

    Parameters
    ----------
    column : (n,) series
        Cells of any type.
    levels : sequence of str
        The levels in the training data.
    missing : sequence of str
        Words that stand for a missing value.
    """
    cells = column.astype(object)
    text = as_text(cells).map(str.strip, na_action="ignore")
    text = text.where(~text.isin([word for word in missing if word not in levels]), None)
    unseen = text.notna() & ~text.isin(list(levels))
    if not unseen.any():
        return text, None
    for cell in cells[unseen].unique():
        same = [] if isinstance(cell, str) else [level for level in levels if _value(level) == _value(cell)]
        if len(same) == 1:
            text = text.where(~(unseen & (cells == cell)), same[0])
    unseen = text.notna() & ~text.isin(list(levels))
    counts = {str(level): int(count) for level, count in text[unseen].value_counts().items()}
    return text, Unseen(str(column.name), counts, levels) if counts else None


def _value(cell: Any) -> Any:
    """Return the value of a cell for comparison, which does not depend on its format: number, boolean or text."""
    text = str(cell).strip()
    if text.lower() in ("true", "false"):
        return text.lower()
    try:
        return float(text)
    except ValueError:
        return text

"""The rule that determines the type of a column from its cells in all files."""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from gamtune.errors import InputError
from gamtune.tables.cells import Cell, unit_of
from gamtune.tables.column import Column


class Type(Enum):
    """Type of a column; the value is the name used in messages and tables."""

    NUMBER = "number"
    TRUTH = "boolean"
    CATEGORY = "category"


NUMBERS = {Cell.NUMBER, Cell.INFINITE, Cell.LONG}
FEW_WORDS = 2  # up to this number of distinct words in a column of numbers stand for missing values
FEW_UNITS = 2  # with more distinct suffixes, such as 1st, 2nd, 3rd, they are not units
MEASURED = 3  # fewer distinct texts with a unit are names, such as 2WD and 4WD, not measurements
DECIMAL_COMMA = re.compile(r"[+-]?\d*,(?:\d{1,2}|\d{4,})")  # in 1,234 the comma may separate thousands


@dataclass(frozen=True)
class Advice:
    """The advice in messages about a column with cells of the wrong kind.

    Attributes
    ----------
    keep : str
        How to keep the column as a category.
    leave : str
        How to ignore the column; empty if it cannot be ignored.
    """

    keep: str = "list the column in data.categorical"
    leave: str = "data.drop"

    @property
    def both(self) -> str:
        """Both pieces of advice."""
        return f"{self.keep} or {self.leave}" if self.leave else self.keep


def type_of(columns: Sequence[Column], categorical: bool = False, advice: Advice = Advice()) -> Type:
    """Return the type of a column.

    - If all cells are numbers, or all are booleans, the column has this type.
    - The column is refused if more than half of its cells, or all but one or two of its distinct texts, are dates or
      numbers in another notation. A column of numbers that contains other text is also refused.
    - Any other column, and each column that is declared as a category, is a category.

    Parameters
    ----------
    columns : sequence of Column
        The column in each file; the type does not depend on the order of the files.
    categorical : bool
        Whether the column is declared as a category.
    advice : Advice
        Advice in messages.

    Raises
    ------
    InputError
        If the column is refused; the message contains file, row and cell.
    """
    for column in columns:
        if not column.is_simple and column.missing < len(column):
            found = "{cell} is neither a number nor text; convert the column or list it in data.drop"
            raise column.error(column.first_present(), found)
    if categorical:
        return Type.CATEGORY
    if all(column.all_numbers for column in columns):
        _refuse_compact_dates(columns, advice)
        return Type.NUMBER
    kinds = _kinds(columns)
    cells = _cells(columns, kinds)
    if set(cells) == {Cell.TRUTH}:
        return Type.TRUTH
    refused = _refused(kinds, cells)
    if refused is not None:
        accepted = NUMBERS if refused is Cell.WORD else set(Cell) - {refused}
        raise _error(columns, [text for text, kind in kinds.items() if kind not in accepted], refused, advice)
    return Type.CATEGORY if set(cells) - {Cell.NUMBER} else Type.NUMBER


def _refuse_compact_dates(columns: Sequence[Column], advice: Advice) -> None:
    """Refuse whole numbers that all have the form YYYYMMDD of a date, such as 20240207."""
    present = [column for column in columns if column.missing < len(column)]
    if present and all(column.are_compact_dates for column in present):
        column = present[0]
        row = column.first_present()
        raise column.error(row, _message(Cell.DATE, column.text(row), advice))


def _kinds(columns: Sequence[Column]) -> dict[str, Cell]:
    """Return the kind of each distinct text; names that look like numbers with units are words."""
    kinds = {text: column.kind(text) for column in columns if not column.all_numbers for text in column.counts}
    measured = {text: unit for text, kind in kinds.items() if kind is Cell.NOTATION and (unit := unit_of(text))}
    if len(set(measured.values())) > FEW_UNITS or len(measured) < MEASURED:
        kinds |= dict.fromkeys((text for text, unit in measured.items() if unit.isalpha()), Cell.WORD)
    return kinds


def _cells(columns: Sequence[Column], kinds: Mapping[str, Cell]) -> Counter[Cell]:
    """Return the number of cells of each kind in all files."""
    cells: Counter[Cell] = Counter()
    for column in columns:
        if column.all_numbers:
            cells[Cell.NUMBER] += len(column) - column.missing
            continue
        for text, count in column.counts.items():
            cells[kinds[text]] += count
    return +cells


def _refused(kinds: Mapping[str, Cell], cells: Counter[Cell]) -> Cell | None:
    """Return the kind of cells for which a column is refused, or None; `Cell.WORD` for words among numbers."""
    present, numbers = cells.total(), sum(cells[kind] for kind in NUMBERS)
    others = {text: kind for text, kind in kinds.items() if kind not in NUMBERS}
    found = set(others.values())
    words = sum(kind is not Cell.DATE for kind in others.values())
    if cells[Cell.DATE] > present / 2 or (cells[Cell.DATE] and not numbers and words <= FEW_WORDS):
        return Cell.DATE
    words = sum(kind is not Cell.NOTATION for kind in others.values())
    share = numbers + cells[Cell.NOTATION]
    if cells[Cell.NOTATION] and (share > present / 2 or words <= FEW_WORDS):
        return Cell.NOTATION
    if found == {Cell.CODE}:
        return Cell.CODE
    if numbers and others and (numbers > present / 2 or len(others) <= FEW_WORDS):
        return Cell.WORD
    return next((kind for kind in (Cell.INFINITE, Cell.LONG) if cells[kind] and not others), None)


def _error(columns: Sequence[Column], texts: Collection[str], kind: Cell, advice: Advice) -> InputError:
    """Return the error about the first cell with one of these texts."""
    for column in columns:
        row = column.row_of(texts)
        if row is not None:
            return column.error(row, _message(kind, column.text(row), advice))
    raise ValueError(f"no cell of {texts}")


def _message(kind: Cell, text: str, advice: Advice) -> str:
    """Return the problem with a cell and the advice."""
    if kind is Cell.DATE:
        convert = "convert them to numbers, such as days since the first date"
        return f" holds dates or times: {{cell}}; {convert}, or {advice.both}"
    if kind is Cell.INFINITE:
        return "{cell} is not a finite number in single precision; correct it"
    if kind is Cell.LONG:
        return f"{{cell}} has more digits than a floating-point number can represent; {advice.both}"
    if kind is Cell.CODE:
        return f"{{cell}} has a leading zero, which is typical of codes; {advice.both}, or write the numbers without it"
    if kind is Cell.WORD:
        problem = "{cell} is not a number, but other cells of the column are"
        return f"{problem}; correct it, or {advice.both}, or list the word in data.missing"
    comma = ', or set data.csv: {decimal: ","}' if DECIMAL_COMMA.fullmatch(text) else ""
    return f"{{cell}} is a number in another notation; write it as in 1234.5{comma}, or {advice.both}"

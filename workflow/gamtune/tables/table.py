"""A table of the user's: a CSV or Parquet file whose structure has been checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gamtune.errors import InputError, unknown
from gamtune.tables.column import Column
from gamtune.tables.csv_file import read_csv, read_csv_header
from gamtune.tables.dialect import MISSING, STANDARD, Dialect
from gamtune.tables.parquet_file import is_parquet, read_parquet, read_parquet_header

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Table:
    """The cells of a file.

    Attributes
    ----------
    path : Path
        The file.
    columns : mapping of str to pyarrow.Array
        Cells by the name of their column: text of a CSV file, or the types of a Parquet file. Names and text are
        without surrounding spaces, and missing values are null.
    decimal : str
        Decimal point of numbers that are written as text.
    """

    path: Path
    columns: Mapping[str, Any]
    decimal: str = "."

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    @property
    def names(self) -> list[str]:
        """Names of the columns, in the order of the file."""
        return list(self.columns)

    def place(self, row: int) -> str:
        """Return file and row of a sample, for messages; ``row`` counts from 0, the message from 1."""
        return f"{self.path}: row {row + 1}"

    def column(self, name: str) -> Column:
        """Return a column.

        Raises
        ------
        InputError
            If the table has no column of this name.
        """
        if name not in self.columns:
            raise InputError([f"no column {name!r}: {unknown(name, self.columns, 'column')}"], str(self.path))
        return Column(name, self.columns[name], self.place, self.decimal)

    def frame(self) -> "pd.DataFrame":
        """Return all columns: as numbers or truth values if all their cells are, otherwise as text with None.

        Nothing is refused here: `Column.numbers` names a cell that is no number.
        """
        import pandas as pd

        return pd.DataFrame({name: self.column(name).series() for name in self.columns})


def read_table(path: Path, missing: Sequence[str] = MISSING, dialect: Dialect = STANDARD) -> Table:
    """Read a CSV file, which may be compressed, or a Parquet file.

    Parameters
    ----------
    path : Path
        The file.
    missing : sequence of str
        Words that stand for a missing value in text; an empty cell always does.
    dialect : Dialect
        How the cells of a CSV file are written.

    Raises
    ------
    InputError
        If the file cannot be read or is not a table: two columns of one name, a column without a name, a line with too
        few or too many cells, a quotation mark that is not closed, no rows.
    """
    missing = ["", *missing]
    if not is_parquet(path):
        return Table(path, read_csv(path, dialect, missing), dialect.decimal)
    return Table(path, read_parquet(path, missing))


def read_header(path: Path, dialect: Dialect = STANDARD) -> list[str]:
    """Return the names of the columns of a CSV or Parquet file, without reading its rows.

    Raises
    ------
    InputError
        If the file cannot be read, is empty, or has two columns of one name or a column without a name.
    """
    return read_parquet_header(path) if is_parquet(path) else read_csv_header(path, dialect)

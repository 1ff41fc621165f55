"""A CSV or Parquet file with a validated structure."""

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
        Cells of each column: text in a CSV file, other types in a Parquet file. Names and text have no surrounding
        spaces; missing values are null.
    decimal : str
        Decimal separator of numbers in text.
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
        """Return file and row number, counted from 1, of the row with index ``row``, for messages."""
        return f"{self.path}: row {row + 1}"

    def column(self, name: str) -> Column:
        """Return a column.

        Raises
        ------
        InputError
            If the table has no column with this name.
        """
        if name not in self.columns:
            raise InputError([f"no column {name!r}: {unknown(name, self.columns, 'column')}"], str(self.path))
        return Column(name, self.columns[name], self.place, self.decimal)

    def frame(self) -> "pd.DataFrame":
        """Return all columns, as numbers or booleans if all cells are, otherwise as text with None.

        Cells are not validated here; `Column.numbers` raises an error for a cell that is not a number.
        """
        import pandas as pd

        return pd.DataFrame({name: self.column(name).series() for name in self.columns})


def read_table(path: Path, missing: Sequence[str] = MISSING, dialect: Dialect = STANDARD) -> Table:
    """Read a Parquet file or a CSV file, which may be compressed.

    Parameters
    ----------
    path : Path
        The file.
    missing : sequence of str
        Words in text that stand for a missing value, in addition to empty cells.
    dialect : Dialect
        Format of a CSV file.

    Raises
    ------
    InputError
        If the file cannot be read or is not a valid table: duplicate or empty column names, a line with too few or too
        many cells, a quotation mark that is not closed, or no rows.
    """
    missing = ["", *missing]
    if not is_parquet(path):
        return Table(path, read_csv(path, dialect, missing), dialect.decimal)
    return Table(path, read_parquet(path, missing))


def read_header(path: Path, dialect: Dialect = STANDARD) -> list[str]:
    """Return the column names of a CSV or Parquet file without reading its rows.

    Raises
    ------
    InputError
        If the file cannot be read, is empty, or has duplicate or empty column names.
    """
    return read_parquet_header(path) if is_parquet(path) else read_csv_header(path, dialect)

"""Read a Parquet file as typed columns."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gamtune.errors import InputError
from gamtune.tables.content import PARQUET
from gamtune.tables.csv_file import checked_names, without_missing

UNNAMED_INDEX = "__index_level_"  # prefix of the name of an unnamed pandas index


def is_parquet(path: Path) -> bool:
    """Return whether a file is a Parquet file, by its first bytes or by the ending of its name."""
    try:
        if path.is_file():
            with path.open("rb") as file:
                if file.read(len(PARQUET)) == PARQUET:
                    return True
    except OSError:
        pass
    return path.suffix in (".parquet", ".pq")


def read_parquet_header(path: Path) -> list[str]:
    """Return the names of the columns of a Parquet file.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    import pyarrow.parquet  # imported here because it takes 0.2 s and is needed only for Parquet files

    return _names(_opened(pyarrow.parquet.read_schema, path).names, path)


def read_parquet(path: Path, missing: Sequence[str]) -> dict[str, Any]:
    """Read the columns of a Parquet file, including a named pandas index.

    Parameters
    ----------
    path : Path
        The file.
    missing : sequence of str
        Words in text that stand for a missing value.

    Returns
    -------
    dict of str to pyarrow.Array
        Cells of each column, null where a value is missing; text has no surrounding spaces.

    Raises
    ------
    InputError
        If the file cannot be read or has no rows.
    """
    import pyarrow.parquet

    table = _opened(pyarrow.parquet.read_table, path)
    if table.num_rows == 0:
        raise InputError(["has no rows"], str(path))
    kept = [column for name, column in zip(table.column_names, table.columns, strict=True) if not _is_index(name)]
    arrays = [_plain(column.combine_chunks(), missing) for column in kept]
    return dict(zip(_names(table.column_names, path), arrays, strict=True))


def _plain(array: Any, missing: Sequence[str]) -> Any:
    """Return the cells without dictionary encoding, with stripped text and null for NaN and missing values."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as types

    if types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if types.is_large_string(array.type) or types.is_string_view(array.type):
        array = array.cast(pa.string())
    if types.is_string(array.type):
        return without_missing(pc.utf8_trim_whitespace(array), missing)
    return pc.if_else(pc.is_nan(array), None, array) if types.is_floating(array.type) else array


def _names(names: list[str], path: Path) -> list[str]:
    return checked_names([name.strip() for name in names if not _is_index(name)], path)


def _is_index(name: str) -> bool:
    return name.startswith(UNNAMED_INDEX)


def _opened(read: Any, path: Path) -> Any:
    try:
        return read(path)
    except OSError as error:
        reason = error.strerror or str(error).splitlines()[0]
        raise InputError([f"cannot be read: {reason}"], str(path)) from None
    except ValueError as error:  # includes the errors of pyarrow
        raise InputError([f"is not a valid Parquet file: {str(error).splitlines()[0]}"], str(path)) from None

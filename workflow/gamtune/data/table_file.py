"""The source `table`: CSV or Parquet files of the user's, each cell checked, faults named by row and column."""

import warnings
from collections.abc import Iterable, Sequence
from decimal import Decimal
from numbers import Number
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gamtune.config.data_section import Data, Part
from gamtune.data.arrays import PARTS
from gamtune.data.cells import as_text, blank, is_number
from gamtune.data.header import UNNAMED_INDEX, check_header, is_parquet
from gamtune.data.rows import Rows, class_indices
from gamtune.errors import InputError

MOST_CLASSES = 1000  # more different targets than this are no classes
MOST_NUMBERED_CLASSES = 30  # whole numbers of more different values are quantities, unless the config says otherwise
MOST_LEVELS = 1000  # each is an input of the network
LARGEST = float(np.finfo(np.float32).max)
TOO_LARGE = "{cell} is not a finite number of single precision"


def read_table(data: Data) -> Rows:
    """Read the files of a `table` source.

    Raises
    ------
    InputError
        With one line that names file, row and column of what cannot be used.
    """
    check_header(data)
    train = _used_columns(Path(data.paths["train"]), data, data.categorical)
    texts = [*data.categorical, *(str(name) for name, column in train.items() if not is_number(column))]
    tables: dict[Part, pd.DataFrame] = {"train": train}
    for part, path in data.paths.items():
        if part != "train":
            tables[part] = _used_columns(Path(path), data, texts)
    table = pd.concat(tables.values(), ignore_index=True)[list(train)]
    places = Places([(data.paths[part], len(rows)) for part, rows in tables.items()])
    target = _checked(table.pop(str(data.target)), places)
    classes, values = _target(target, data.task, places)
    split = table.pop(data.split_column) if data.split_column else None
    group = table.pop(data.group_column) if data.group_column else None
    if group is not None:
        _refuse(group.isna(), group, places, "the group is missing")
    features = {str(name): _feature(table[name], name in data.categorical, places) for name in table}
    return Rows(
        pd.DataFrame(features),
        values,
        str(data.target),
        classes,
        _parts(data, {part: len(rows) for part, rows in tables.items()}, split, places),
        group,
        data.missing,
        places.of,
    )


class Places:
    """Where each row of the joined table stands in its file."""

    def __init__(self, files: Sequence[tuple[str, int]]) -> None:
        self.files = files

    def of(self, row: int) -> str:
        """File and number of a row, counted from 1."""
        for file, rows in self.files:
            if row < rows:
                return f"{file}: row {row + 1}"
            row -= rows
        raise IndexError(row)

    @property
    def all(self) -> str:
        """The files."""
        return ", ".join(file for file, _ in self.files)


def read_file(path: Path, missing: Sequence[str], categorical: Iterable[str]) -> pd.DataFrame:
    """The rows of a CSV or Parquet file; in CSV, cells with these words hold nothing.

    Parameters
    ----------
    path : Path
        The file.
    missing : sequence of str
        Words of a CSV file.
    categorical : iterable of str
        Columns whose cells are names, however much they look like numbers: 01000 stays what it is.

    Raises
    ------
    InputError
        If it cannot be read, or has no rows.
    """
    try:
        table = _read_parquet(path) if is_parquet(path) else _read_csv(path, missing, categorical)
    except (OSError, ValueError) as error:  # pandas' and pyarrow's own errors are among these
        raise InputError([f"{path} cannot be read: {str(error).strip().splitlines()[0]}"]) from None
    if len(table) == 0:
        raise InputError([f"{path}: no rows"])
    return table


def _read_parquet(path: Path) -> pd.DataFrame:
    """An index that has a name is a column as any other."""
    import pyarrow.parquet  # a fifth of a second that only Parquet users pay

    table: pd.DataFrame = pyarrow.parquet.read_table(path).to_pandas(ignore_metadata=True)
    return table[[name for name in table if not str(name).startswith(UNNAMED_INDEX)]]


def _read_csv(path: Path, missing: Sequence[str], categorical: Iterable[str]) -> pd.DataFrame:
    """A comma at the end of every row is none too many; any other cell without a name is."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            return pd.read_csv(
                path, keep_default_na=False, na_values=list(missing), low_memory=False, index_col=False,
                dtype=dict.fromkeys(categorical, str),
            )  # fmt: skip
        except pd.errors.ParserWarning:
            raise ValueError("its rows have more cells than its header has names") from None


def _used_columns(path: Path, data: Data, texts: Iterable[str]) -> pd.DataFrame:
    table = read_file(path, data.missing, texts).drop(columns=data.drop, errors="ignore")
    if set(table) <= {data.target, data.group_column, data.split_column}:
        raise InputError([f"{path}: no column is left to learn from"])
    return table


def _refuse(where: Any, column: "pd.Series[Any]", places: Places, text: str) -> None:
    """Name the first of these rows, if there is any; ``{cell}`` in the text is its cell."""
    rows = np.flatnonzero(np.asarray(where))
    if len(rows):
        said = text.replace("{cell}", repr(str(column.iloc[rows[0]]).strip()))
        raise InputError([f"{places.of(rows[0])}, column {column.name!r}: {said}"])


def _target(
    target: "pd.Series[Any]", task: str | None, places: Places
) -> tuple[list[Any] | None, npt.NDArray[np.float64 | np.int32]]:
    _refuse(blank(target), target, places, "the target is missing")
    numbers = pd.to_numeric(target, errors="coerce")
    if is_number(target) or task == "regression":
        _refuse(numbers.abs() > LARGEST, target, places, TOO_LARGE)
    distinct = target.nunique()
    if distinct < 2:
        raise InputError([f"{places.all}: column {target.name!r} holds one value only, expected at least two"])
    if task is None:
        quantity = is_number(target) and not pd.api.types.is_bool_dtype(target)
        whole = quantity and not bool((target % 1 != 0).any())
        task = "regression" if quantity and not (whole and distinct <= MOST_NUMBERED_CLASSES) else "classification"
    if task == "regression":
        _refuse(numbers.isna(), target, places, "{cell} is not a number, and data.task is regression")
        return None, numbers.to_numpy(dtype=float)
    if distinct > MOST_CLASSES:
        found = f"{distinct} different values, expected at most {MOST_CLASSES} classes"
        raise InputError([f"{places.all}: column {target.name!r} holds {found}; is data.task regression?"])
    indices, classes = class_indices(target)
    return classes, indices


def _feature(column: "pd.Series[Any]", categorical: bool, places: Places) -> "pd.Series[Any]":
    """The column as float64 with NaN, or as text with None, where a cell is missing."""
    empty = blank(column)
    if empty.all():
        raise InputError([f"{places.all}: column {column.name!r} has no value at all; list it in data.drop"])
    column = _checked(column, places)
    numbers = None if categorical else _numbers(column, empty, places)
    if numbers is not None:
        return numbers
    levels = column[~empty].nunique()
    if levels > MOST_LEVELS:
        found = f"{levels} different texts, expected at most {MOST_LEVELS}"
        raise InputError([f"{places.all}: column {column.name!r} holds {found}; list it in data.drop"])
    return as_text(column)


def _checked(column: "pd.Series[Any]", places: Places) -> "pd.Series[Any]":
    """The column where its cells are numbers, texts or truth values; decimals as floats."""
    if pd.api.types.is_datetime64_any_dtype(column) or pd.api.types.is_timedelta64_dtype(column):
        raise InputError([f"{places.all}: column {column.name!r} holds dates; give numbers or list it in data.drop"])
    if column.dtype != object:
        return column
    known = column.isna() | column.map(lambda cell: isinstance(cell, str | Number | np.generic))
    _refuse(~known, column, places, "{cell} is neither a number nor a text; convert the column or list it in data.drop")
    return column.astype(float) if column.map(lambda cell: isinstance(cell, Decimal)).any() else column


def _numbers(column: "pd.Series[Any]", empty: "pd.Series[bool]", places: Places) -> "pd.Series[float] | None":
    """The column as numbers; None where most of it is text."""
    numbers = pd.to_numeric(column, errors="coerce").astype(float)
    text = numbers.isna() & ~empty
    if text.sum() > (~empty).sum() / 2:
        return None
    fault = "{cell} is not a number, as others in the column are; correct it, or list the column in "
    _refuse(text, column, places, fault + "data.categorical or data.drop")
    _refuse(numbers.abs() > LARGEST, column, places, f"{TOO_LARGE}; correct it")
    return numbers


def as_numbers(column: "pd.Series[Any]", places: Places) -> "pd.Series[float]":
    """A column that has to hold numbers, NaN where a cell holds nothing.

    Raises
    ------
    InputError
        At the first cell that is no finite number.
    """
    numbers = pd.to_numeric(column, errors="coerce").astype(float)
    _refuse((numbers.isna() & ~blank(column)) | (numbers.abs() > LARGEST), column, places, TOO_LARGE)
    return numbers


def _parts(
    data: Data, rows: dict[Any, int], split: "pd.Series[Any] | None", places: Places
) -> npt.NDArray[np.str_] | None:
    """What the files or a column say of each row's part; "" where the split decides."""
    if split is None and set(rows) == {"train"}:
        return None
    parts = np.repeat(np.array([part if part != "train" else "" for part in rows], dtype="<U10"), list(rows.values()))
    if split is not None:
        words = split.astype(str).str.strip().str.lower()
        _refuse(~words.isin(PARTS), split, places, "got {cell}, expected train, validation or test")
        for part, aside in (("validation", data.validation), ("test", data.test)):
            chosen = (words == part).to_numpy() & (parts == "")
            if aside.column is None:
                _refuse(chosen, split, places, f"got {{cell}}, but data.{part}.column does not name the column")
            parts[chosen] = part
    return parts

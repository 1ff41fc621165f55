"""The source `table`: the user's CSV or Parquet files, with errors reported by row and column."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gamtune.config.data_section import Data, Part
from gamtune.data.header import check_header
from gamtune.data.joined import Joined, column_uses
from gamtune.data.rows import Rows, class_indices
from gamtune.errors import InputError
from gamtune.results.record import PARTS
from gamtune.tables.cells import Cell
from gamtune.tables.column import Column
from gamtune.tables.identifiers import identifier
from gamtune.tables.table import read_table as read_file
from gamtune.tables.types import Advice, Type, type_of

MOST_CLASSES = 1000
MOST_NUMBERED_CLASSES = 30  # with more distinct values, whole numbers are a regression target by default
MOST_LEVELS = 1000  # per column; each level is an input of the network
MOST_LABELS = 10  # labels of a file that a message lists
LARGEST = float(np.finfo(np.float32).max)
TOO_LARGE = "{cell} is not a finite number in single precision"
OF_TARGET = Advice("list it in data.categorical if its values are names", "")


def read_table(data: Data) -> Rows:
    """Read the files of source `table`.

    Raises
    ------
    InputError
        If the files cannot be used; the message names file, row and column.
    """
    check_header(data)
    parts: list[Part] = ["train", *(part for part in data.paths if part != "train")]
    tables = {part: read_file(Path(data.paths[part]), data.missing_words, data.dialect) for part in parts}
    joined = Joined(list(tables.values()))
    names = [name for name in tables["train"].names if name not in data.drop]
    roles = {data.target, data.group_column, data.split_column}
    if set(names) <= roles:
        raise InputError([f"{joined.files}: no input columns are left; remove columns from data.drop"])
    classes, values = _target(joined, data)
    groups = _groups(joined, data.group_column, data.categorical)
    inputs = [name for name in names if name not in roles]
    features = {name: _feature(joined.columns(name), name in data.categorical, joined) for name in inputs}
    return Rows(
        pd.DataFrame(features),
        values,
        str(data.target),
        classes,
        _parts(data, {part: len(table) for part, table in tables.items()}, joined),
        groups,
        data.missing_words,
        data.dialect,
        joined.place,
        column_uses(joined, data, classes is not None),
    )


def _target(joined: Joined, data: Data) -> tuple[list[Any] | None, npt.NDArray[np.float64 | np.int32]]:
    """Return the classes and the (n,) class indices, or None and the (n,) values of a regression."""
    columns = joined.columns(str(data.target))
    _refuse_missing(columns, "the target is missing")
    try:
        kind = type_of(columns, data.target in data.categorical, OF_TARGET)
    except InputError:
        _compare_labels(columns, [list(column.counts) for column in columns])
        raise
    if data.task == "regression" and kind is Type.CATEGORY:
        words = {text for column in columns for text in column.counts if column.kind(text) is not Cell.NUMBER}
        column = next(column for column in columns if column.row_of(words) is not None)
        raise column.error(column.row_of(words) or 0, "{cell} is not a number, but data.task is regression")
    cells: npt.NDArray[Any] = (
        joined.texts(columns) if kind is Type.CATEGORY else joined.numbers(columns, LARGEST, TOO_LARGE)
    )
    distinct = pd.unique(cells)
    if len(distinct) < 2:
        raise InputError([f"{joined.files}: column {data.target!r} has a single value, expected at least two"])
    whole = kind is Type.NUMBER and not (distinct % 1 != 0).any()
    few = kind is not Type.NUMBER or (whole and len(distinct) <= MOST_NUMBERED_CLASSES)
    if (data.task or ("classification" if few else "regression")) == "regression":
        return None, cells
    if len(distinct) > MOST_CLASSES:
        found = f"{len(distinct)} distinct values, expected at most {MOST_CLASSES} classes"
        raise InputError([f"{joined.files}: column {data.target!r} has {found}; is data.task regression?"])
    labels = pd.Series(cells.astype(bool) if kind is Type.TRUTH else cells.astype(np.int64) if whole else cells)
    _compare_labels(columns, [list(pd.unique(part)) for part in joined.split(labels.to_numpy())])
    indices, classes = class_indices(labels)
    return classes, indices


def _compare_labels(columns: Sequence[Column], labels: Sequence[list[Any]]) -> None:
    """Refuse labels that occur in another file but not in the training file."""
    for column, found in zip(columns[1:], labels[1:], strict=True):
        if set(found) - set(labels[0]):
            files = f"{columns[0].file} has the labels {_listed(labels[0])}, but {column.file} has {_listed(found)}"
            raise InputError([f"column {column.name!r}: {files}; each class must occur in the training file"])


def _listed(labels: Sequence[Any]) -> str:
    """Return the first labels of a file for messages."""
    return ", ".join(sorted(map(str, labels))[:MOST_LABELS]) + (", ..." if len(labels) > MOST_LABELS else "")


def _refuse_missing(columns: Sequence[Column], problem: str) -> None:
    for column in columns:
        if column.missing:
            raise column.error(column.first_missing(), problem)


def _feature(columns: Sequence[Column], categorical: bool, joined: Joined) -> "npt.NDArray[Any]":
    """Return a column as float64 with NaN, or as text with None, where a cell is missing."""
    name = columns[0].name
    if all(column.missing == len(column) for column in columns):
        raise InputError([f"{joined.files}: all cells of column {name!r} are missing; list it in data.drop"])
    if type_of(columns, categorical) is not Type.CATEGORY:
        numbers = joined.numbers(columns, LARGEST, f"{TOO_LARGE}; correct it")
        _refuse_identifier(name, numbers, joined)
        return numbers
    levels = {text for column in columns for text in column.counts}
    if len(levels) > MOST_LEVELS:
        found = f"{len(levels)} distinct texts, expected at most {MOST_LEVELS}"
        raise InputError([f"{joined.files}: column {name!r} has {found}; list it in data.drop"])
    texts = joined.texts(columns)
    if not categorical:
        _refuse_identifier(name, texts, joined)
    return texts


def _refuse_identifier(name: str, cells: "npt.NDArray[Any]", joined: Joined) -> None:
    found = identifier(name, cells)
    if found:
        raise InputError([f"{joined.files}: column {name!r} {found}; list it in data.drop"])


def _groups(joined: Joined, name: str | None, categorical: Sequence[str]) -> "pd.Series[Any] | None":
    """Return the group of each sample, as numbers if all groups are numbers, otherwise as text."""
    if name is None:
        return None
    columns = joined.columns(name)
    _refuse_missing(columns, "the group is missing")
    if name in categorical or not all(column.all_numbers for column in columns):
        return pd.Series(joined.texts(columns), name=name, dtype=object)
    numbers = joined.numbers(columns)
    whole = not (numbers % 1 != 0).any()
    return pd.Series(numbers.astype(np.int64) if whole else numbers, name=name)


def _parts(data: Data, rows: dict[Part, int], joined: Joined) -> npt.NDArray[np.str_] | None:
    """Return the part of each sample by its file or the split column, or an empty text if it is drawn at random."""
    if data.split_column is None and set(rows) == {"train"}:
        return None
    parts = np.repeat(np.array([part if part != "train" else "" for part in rows], dtype="<U10"), list(rows.values()))
    if data.split_column is not None:
        columns = joined.columns(data.split_column)
        words = np.array([str(word or "").lower() for word in joined.texts(columns)])
        joined.refuse(~np.isin(words, PARTS), columns, "got {cell}, expected train, validation or test")
        for part, held_out in (("validation", data.validation), ("test", data.test)):
            chosen = (words == part) & (parts == "")
            if held_out.column is None:
                joined.refuse(chosen, columns, f"got {{cell}}, but data.{part}.column is not set to this column")
            parts[chosen] = part
    return parts

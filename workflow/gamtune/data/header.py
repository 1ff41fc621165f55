"""Check quickly, before any step runs, that the data files exist and have the columns named in the config."""

import os
from pathlib import Path

from gamtune.config.data_section import Data
from gamtune.errors import InputError, unknown
from gamtune.tables.identifiers import UNNAMED
from gamtune.tables.table import read_header


def check_header(data: Data) -> None:
    """Check the files of source `table` without reading their rows; do nothing for other sources.

    Raises
    ------
    InputError
        If a file cannot be read or is used for two parts, or a column named in the config is missing.
    """
    if not data.paths:
        return
    columns_of = {Path(path): _columns(Path(path), data) for path in data.paths.values()}
    _refuse_twice(data)
    train = Path(data.paths["train"])
    all_columns = list(dict.fromkeys(name for columns in columns_of.values() for name in columns))
    for dropped in data.drop:
        if dropped not in all_columns:
            hint = unknown(dropped, all_columns, "column")
            raise InputError([f"data.drop: {train} has no column {dropped!r}: {hint}"])
    for path, columns in columns_of.items():
        for key, names in (
            ("data.target", [data.target]),
            ("data.categorical", data.categorical),
            ("data.group", [data.group_column]),
            ("data.validation.column", [data.validation.column]),
            ("data.test.column", [data.test.column]),
        ):
            for name in names:
                if name is not None and name not in columns:
                    raise InputError([f"{key}: {path} has no column {name!r}: {_hint(name, columns)}"])
        for name in columns_of[train]:
            if name not in columns and name not in data.drop:
                raise InputError([f"data.path: {path} has no column {name!r}, which {train} has"])
            if UNNAMED.fullmatch(name) and name not in data.drop:
                raise InputError(
                    [f"data.path: {path}: column {name!r} is an index written by pandas; list it in data.drop"]
                )


def _columns(path: Path, data: Data) -> list[str]:
    if not path.is_file():
        raise InputError([f"data.path: {path} does not exist or is not a file"])
    try:
        return read_header(path, data.dialect)
    except InputError as error:
        raise InputError([f"data.path: {error}"]) from None


def _hint(name: str, columns: list[str]) -> str:
    if len(columns) > 1:
        return unknown(name, columns, "column")
    return f'its only column is {columns[0]!r}; if the separator was not detected, set data.csv: {{separator: " "}}'


def _refuse_twice(data: Data) -> None:
    """Refuse a file that is used for two parts, even under different paths."""
    parts = list(data.paths.items())
    for number, (part, path) in enumerate(parts):
        for other, earlier in parts[:number]:
            if os.path.samefile(path, earlier):
                found = f"{path} ({part}) and {earlier} ({other}) are the same file"
                raise InputError([f"data.path: {found}; use a different file for each part"])

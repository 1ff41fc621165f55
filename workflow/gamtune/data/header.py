"""Check that data files exist and have the columns that the config names; quick, for use before anything runs."""

import os
from pathlib import Path

from gamtune.config.data_section import Data
from gamtune.errors import InputError, unknown
from gamtune.tables.identifiers import UNNAMED
from gamtune.tables.table import read_header


def check_header(data: Data) -> None:
    """Check the files of a `table` source without reading their rows; other sources have none.

    Raises
    ------
    InputError
        If a file cannot be read, is given twice, or has no column that the config names.
    """
    if not data.paths:
        return
    found = {Path(path): _columns(Path(path), data) for path in data.paths.values()}
    _refuse_twice(data)
    train = Path(data.paths["train"])
    anywhere = list(dict.fromkeys(name for columns in found.values() for name in columns))
    for dropped in data.drop:
        if dropped not in anywhere:
            raise InputError([f"data.drop: {train} has no column {dropped!r}: {unknown(dropped, anywhere, 'column')}"])
    for path, columns in found.items():
        for key, names in (
            ("data.target", [data.target]),
            ("data.categorical", data.categorical),
            ("data.group", [data.group_column]),
            ("data.validation.column", [data.validation.column]),
            ("data.test.column", [data.test.column]),
        ):
            for name in names:
                if name is not None and name not in columns:
                    raise InputError([f"{key}: {path} has no column {name!r}: {_known(name, columns)}"])
        for name in found[train]:
            if name not in columns and name not in data.drop:
                raise InputError([f"data.path: {path} has no column {name!r}, which {train} has"])
            if UNNAMED.fullmatch(name) and name not in data.drop:
                raise InputError(
                    [f"data.path: {path}: column {name!r} is an index that pandas wrote; list it in data.drop"]
                )


def _columns(path: Path, data: Data) -> list[str]:
    if not path.is_file():
        raise InputError([f"data.path: {path} is no file"])
    try:
        return read_header(path, data.dialect)
    except InputError as error:
        raise InputError([f"data.path: {error}"]) from None


def _known(name: str, columns: list[str]) -> str:
    if len(columns) > 1:
        return unknown(name, columns, "column")
    return f'its only column is {columns[0]!r}; if cells are separated otherwise, set data.csv: {{separator: " "}}'


def _refuse_twice(data: Data) -> None:
    """Refuse one file for two parts, whatever its paths are."""
    parts = list(data.paths.items())
    for number, (part, path) in enumerate(parts):
        for other, earlier in parts[:number]:
            if os.path.samefile(path, earlier):
                found = f"{path} ({part}) and {earlier} ({other}) are the same file"
                raise InputError([f"data.path: {found}; give each part a file of its own"])

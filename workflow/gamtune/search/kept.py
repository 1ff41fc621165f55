"""Rows already tried elsewhere: the summaries of other studies."""

from collections.abc import Container
from itertools import count
from pathlib import Path
from typing import Any

from gamtune.config.settings import SETTINGS
from gamtune.config.study import Study
from gamtune.errors import InputError
from gamtune.search.manual import parse_row, read_csv


def kept_rows(study: Study) -> list[tuple[str, dict[str, Any]]]:
    """Each setting of the files in ``search.keep`` once, named ``<folder>.<name there>``.

    A column that is no parameter (status, figures, derived columns) is passed over, and so are the replicates of a
    setting: this study has its own.

    Raises
    ------
    InputError
        If a file cannot be read, holds no row or no parameter, or a cell is no value of its column.
    """
    kept: dict[str, dict[str, Any]] = {}
    for file in study.search.keep:
        for name, settings in _rows_of(Path(file), study.study):
            kept[_new_name(name, kept)] = settings
    return list(kept.items())


def _new_name(name: str, taken: Container[str]) -> str:
    """The name, or with a number if other settings have it: those of another rung, or of a folder of the same name."""
    names = (name if number == 1 else f"{name}_{number}" for number in count(1))
    return next(one for one in names if one not in taken)


def _rows_of(path: Path, study: str) -> list[tuple[str, dict[str, Any]]]:
    if path.parts[-3:-1] == ("results", study):
        raise InputError([f"search.keep: {path} is made by this study itself; keep a copy of it elsewhere"])
    columns, rows = read_csv(path, "search.keep")
    parameters = [column for column in columns if column in SETTINGS]
    if not parameters or not rows:
        raise InputError([f"search.keep: {path} holds no {'row' if parameters else 'column of a parameter'}"])
    kept: dict[str, tuple[str, dict[str, Any]]] = {}
    for number, row in enumerate(rows, start=1):
        settings = parse_row(path, number, {name: row[name] for name in parameters}, "search.keep")
        named = f"{path.parent.name}.{row.get('name') or number}"
        kept.setdefault(repr(settings), (named, settings))
    return list(kept.values())

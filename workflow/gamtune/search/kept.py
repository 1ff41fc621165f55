"""Configurations of other studies, read from their summaries."""

from collections.abc import Container
from itertools import count
from pathlib import Path
from typing import Any

from gamtune.config.settings import SETTINGS
from gamtune.config.study import Study
from gamtune.errors import InputError
from gamtune.search.manual import parse_row, read_csv


def kept_rows(study: Study) -> list[tuple[str, dict[str, Any]]]:
    """Return each distinct configuration of the files in ``search.keep``, named ``<folder>.<name in that study>``.

    Columns other than hyperparameters (status, metrics, derived columns) are ignored. Replicates of a configuration
    count once, since the number of replicates is set by this study.

    Returns
    -------
    list of (str, dict)
        Name and settings of each configuration.

    Raises
    ------
    InputError
        If a file cannot be read, has no rows or no column of a hyperparameter, or a cell is not valid for its column.
    """
    kept: dict[str, dict[str, Any]] = {}
    for file in study.search.keep:
        for name, settings in _configurations_of(Path(file), study.study):
            kept[_new_name(name, kept)] = settings
    return list(kept.items())


def _new_name(name: str, taken: Container[str]) -> str:
    """Return the name, with a number appended if it is taken: by another rung, or by a folder of the same name."""
    names = (name if number == 1 else f"{name}_{number}" for number in count(1))
    return next(one for one in names if one not in taken)


def _configurations_of(path: Path, study: str) -> list[tuple[str, dict[str, Any]]]:
    if path.parts[-3:-1] == ("results", study):
        raise InputError([f"search.keep: {path} is a result of this study; copy it to another folder"])
    columns, rows = read_csv(path, "search.keep")
    names = [column for column in columns if column in SETTINGS]
    if not names or not rows:
        raise InputError([f"search.keep: {path} has no {'rows' if names else 'column of a hyperparameter'}"])
    kept: dict[str, tuple[str, dict[str, Any]]] = {}
    for number, row in enumerate(rows, start=1):
        settings = parse_row(path, number, {name: row[name] for name in names}, "search.keep")
        named = f"{path.parent.name}.{row.get('name') or number}"
        kept.setdefault(repr(settings), (named, settings))
    return list(kept.values())

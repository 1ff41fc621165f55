"""Configurations listed by hand, in the config or in a CSV file with one column per hyperparameter."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from gamtune.config.settings import SETTINGS, SettingError
from gamtune.errors import InputError, unknown
from gamtune.results.artefacts import plain
from gamtune.tables.table import read_table

LONGEST_NAME = 100


def manual_rows(rows: list[dict[str, Any]] | str) -> list[tuple[str, dict[str, Any]]]:
    """Return the configurations that are listed by hand.

    Parameters
    ----------
    rows : list of dict, or str
        Settings of each configuration, or the path of a CSV file. In the file an empty cell means the default, and
        values per layer are separated by spaces. A key or column ``name`` contains the name of the configuration, by
        default ``manual_<number>``.

    Returns
    -------
    list of (str, dict)
        Name and settings of each configuration.

    Raises
    ------
    InputError
        If the file cannot be read, a column is unknown, a cell is not valid for its column, or two configurations
        with different settings have the same name.
    """
    if isinstance(rows, str):
        return _named(_read(Path(rows)), f"{rows}: row")
    return _named(rows, "search.rows: row")


def _named(rows: list[dict[str, Any]], place: str) -> list[tuple[str, dict[str, Any]]]:
    named: list[tuple[str, dict[str, Any]]] = []
    first: dict[str, int] = {}
    for number, row in enumerate(rows, start=1):
        settings = {key: value for key, value in row.items() if key != "name"}
        for key in settings:
            if key not in SETTINGS:
                raise InputError([f"{place} {number}, {key!r}: {unknown(key, SETTINGS, 'hyperparameter')}"])
        name = _name(row.get("name"), number, place)
        if name in first and named[first[name] - 1][1] != settings:
            both = f"{place}s {first[name]} and {number}"
            raise InputError([f"{both} have the name {name!r} but different settings; use different names"])
        first.setdefault(name, number)
        named.append((name, settings))
    return named


def _name(given: Any, number: int, place: str) -> str:
    """Return the name of a configuration, which appears in tables, figures and MLflow."""
    if given is None or given == "":
        return f"manual_{number}"
    text = str(given)
    if isinstance(given, bool | list | dict) or len(text) > LONGEST_NAME or not text.isprintable():
        expected = f"expected text of at most {LONGEST_NAME} characters"
        raise InputError([f"{place} {number}, name: got {text[:80]!r}, {expected}"])
    return text


def _read(path: Path) -> list[dict[str, Any]]:
    columns, rows = read_csv(path, "search.rows")
    for column in columns:
        if column != "name" and column not in SETTINGS:
            raise InputError([f"search.rows: {path}, column {column!r}: {unknown(column, SETTINGS, 'hyperparameter')}"])
    if not rows or set(columns) <= {"name"}:
        raise InputError([f"search.rows: {path} has no {'column of a hyperparameter' if rows else 'rows'}"])
    return [parse_row(path, number, row, "search.rows") for number, row in enumerate(rows, start=1)]


def read_csv(path: Path, key: str) -> tuple[list[str], list[dict[str, str]]]:
    """Return the columns and rows of a CSV file.

    Parameters
    ----------
    path : Path
        The file.
    key : str
        Key of the config that contains the path, for messages.

    Returns
    -------
    columns : list of str
        Names of the columns.
    rows : list of dict
        Text of each cell of a row, by column.

    Raises
    ------
    InputError
        If the file cannot be read or is not a table.
    """
    if path.is_fifo():  # a pipe can be read only once, but several steps read the file
        raise InputError([f"{key}: {path} is a named pipe, expected a file"])
    try:
        table = read_table(path, missing=("",))
    except InputError as error:
        raise InputError([f"{key}: {error}"]) from None
    columns = [[plain(cell or "") for cell in table.column(name).raw()] for name in table.names]
    return table.names, [dict(zip(table.names, cells, strict=True)) for cells in zip(*columns, strict=True)]


def parse_row(path: Path, number: int, row: dict[str, str], key: str) -> dict[str, Any]:
    """Return the settings in a row of a CSV file; empty cells are left out.

    Parameters
    ----------
    path : Path
        The file, for messages.
    number : int
        Number of the row, from 1, for messages.
    row : dict
        Text of each cell, by column.
    key : str
        Key of the config that contains the path, for messages.

    Raises
    ------
    InputError
        If a cell is not valid for its column.
    """
    values: dict[str, Any] = {}
    for column, cell in row.items():
        if not cell.strip():
            continue
        try:
            values[column] = cell.strip() if column == "name" else parse_cell(column, cell)
        except SettingError as error:
            raise InputError([f"{key}: {path}, row {number}, column {column!r}: {error}"]) from None
    return values


def parse_cell(column: str, cell: str) -> Any:
    """Return the value of a hyperparameter in a CSV cell; ``300 200`` is a list with one value per layer.

    Raises
    ------
    SettingError
        If the cell is not a number, or has several numbers where one is expected.
    """
    setting = SETTINGS[column]
    if setting.kind is str:
        return cell.strip()
    numbers = [_number(part) for part in cell.split()]
    if None in numbers or (len(numbers) > 1 and not setting.per_layer):
        raise SettingError(column, cell, setting.expected)
    return numbers if len(numbers) > 1 else numbers[0]


def _number(text: str) -> int | float | None:
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    return None

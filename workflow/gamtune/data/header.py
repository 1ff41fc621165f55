"""Whether data files are there and have the columns that the config names; quick, for use before anything runs."""

import csv
from pathlib import Path

from gamtune.config.data_section import Data
from gamtune.errors import InputError, unknown

UNNAMED_INDEX = "__index_level_"  # begins the name that pandas gives, in Parquet, to an index without one


def is_parquet(path: Path) -> bool:
    """Whether a file is read as Parquet; anything else is CSV."""
    return path.suffix in (".parquet", ".pq")


def check_header(data: Data) -> None:
    """Check the files of a `table` source without reading their rows; other sources have none.

    Raises
    ------
    InputError
        If a file cannot be read, or a column that the config names is not there.
    """
    if not data.paths:
        return
    found = {Path(path): _columns(Path(path)) for path in data.paths.values()}
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
                    raise InputError([f"{key}: {path} has no column {name!r}: {unknown(name, columns, 'column')}"])
        for name in found[train]:
            if name not in columns and name not in data.drop:
                raise InputError([f"data.path: {path} has no column {name!r}, which {train} has"])


def _columns(path: Path) -> list[str]:
    names = _names(path)
    for number, name in enumerate(names, start=1):
        if not name.strip():
            raise InputError(
                [f"data.path: {path}: column {number} has no name; give it one, or write the file without its index"]
            )
        if name in names[: number - 1]:
            raise InputError([f"data.path: {path}: two columns are named {name!r}; rename one"])
    return names


def _names(path: Path) -> list[str]:
    if not path.is_file():
        raise InputError([f"data.path: {path} is no file"])
    try:
        if is_parquet(path):
            import pyarrow.parquet  # a fifth of a second that only Parquet users pay

            return [name for name in pyarrow.parquet.read_schema(path).names if not name.startswith(UNNAMED_INDEX)]
        with path.open(newline="", encoding="utf-8-sig") as file:
            return next(csv.reader(file), [])
    except (OSError, ValueError, csv.Error) as error:  # pyarrow's errors are among these
        reason = str(error).splitlines()[0]
        raise InputError([f"data.path: {path} cannot be read: {reason}"]) from None

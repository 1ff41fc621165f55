"""Whether data files are there and have the columns that the config names; quick, for use before anything runs."""

import csv
from pathlib import Path

from gamtune.config.data_section import Data
from gamtune.config.errors import ConfigError, unknown


def is_parquet(path: Path) -> bool:
    """Whether a file is read as Parquet; anything else is CSV."""
    return path.suffix in (".parquet", ".pq")


def check_header(data: Data) -> None:
    """Check the files of a `table` source without reading their rows.

    Raises
    ------
    ConfigError
        If a file cannot be read, or a column that the config names is not there.
    """
    first: list[str] = []
    for path in map(Path, data.paths.values()):
        columns = _columns(path)
        for key, names in (
            ("data.target", [data.target]),
            ("data.drop", data.drop),
            ("data.categorical", data.categorical),
            ("data.group", [data.group_column]),
            ("data.validation.column", [data.validation.column]),
            ("data.test.column", [data.test.column]),
        ):
            for name in names:
                if name is not None and name not in columns:
                    raise ConfigError([f"{key}: {path} has no column {name!r}: {unknown(name, columns, 'column')}"])
        for name in first:
            if name not in columns and name not in data.drop:
                raise ConfigError([f"data.path: {path} has no column {name!r}, which {data.paths['train']} has"])
        first = first or columns


def _columns(path: Path) -> list[str]:
    if not path.is_file():
        raise ConfigError([f"data.path: {path} is no file"])
    try:
        if is_parquet(path):
            import pyarrow.parquet  # a fifth of a second that only Parquet users pay

            return list(pyarrow.parquet.read_schema(path).names)
        with path.open(newline="", encoding="utf-8-sig") as file:
            return next(csv.reader(file), [])
    except (OSError, ValueError, csv.Error) as error:  # pyarrow's errors are among these
        reason = str(error).splitlines()[0]
        raise ConfigError([f"data.path: {path} cannot be read: {reason}"]) from None

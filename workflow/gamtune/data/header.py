"""Whether a data file is there and has the columns that the config names; quick, for use before anything runs."""

import csv
from pathlib import Path

from gamtune.config.errors import ConfigError, unknown
from gamtune.config.study import Data


def is_parquet(path: Path) -> bool:
    """Whether a file is read as Parquet; anything else is CSV."""
    return path.suffix in (".parquet", ".pq")


def check_header(data: Data) -> None:
    """Check the file of a `table` source without reading its rows.

    Raises
    ------
    ConfigError
        If the file cannot be read, or a column that the config names is not there.
    """
    if data.path is None:
        return
    path = Path(data.path)
    columns = _columns(path)
    for key, names in (("data.target", [str(data.target)]), ("data.drop", data.drop)):
        for name in names:
            if name not in columns:
                raise ConfigError([f"{key}: {path} has no column {name!r}: {unknown(name, columns, 'column')}"])


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

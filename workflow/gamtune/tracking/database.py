"""The SQLite database of a local tracking store: atomic creation, and update of paths after the project has moved."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

# Tables and columns in which MLflow stores absolute paths of artifacts (3.17)
PATH_COLUMNS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
)


def prepare_database(path: Path, make_schema: Callable[[Path], None]) -> None:
    """Create the database if it does not exist; the caller must hold the lock of the tracking store.

    The schema is created in a temporary folder and moved into place, because a second writer or a kill during its
    migrations would leave a file that MLflow can neither use nor repair.

    Parameters
    ----------
    path : Path
        The database.
    make_schema : callable
        Creates a database with the schema of MLflow at the given path.

    Raises
    ------
    sqlite3.Error
        If the file is not an SQLite database.
    """
    for leftover in path.parent.glob(f".{path.name}.*"):  # temporary folders of killed processes
        shutil.rmtree(leftover)
    if path.exists() and path.stat().st_size > 0:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA schema_version")  # fails immediately; MLflow would retry many times
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
        make_schema(Path(folder) / path.name)
        os.replace(Path(folder) / path.name, path)


def move_artifacts(path: Path, before: str, now: str) -> None:
    """Update the absolute paths of artifacts in the database after the project has moved.

    Parameters
    ----------
    path : Path
        The database.
    before, now : str
        Folder of the artifacts before and after the move, as a URI.
    """
    with closing(sqlite3.connect(path)) as connection, connection:
        for table, column in PATH_COLUMNS:
            connection.execute(
                f"UPDATE {table} SET {column} = :now || substr({column}, length(:before) + 1)"
                f" WHERE substr({column} || '/', 1, length(:before) + 1) = :before || '/'",
                {"now": now, "before": before},
            )

"""The SQLite file of a local tracking store: made whole or not at all, and right after the project has moved."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

# Where MLflow notes absolute places of artifacts (3.17)
PLACES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
)


def prepare_database(path: Path, make_schema: Callable[[Path], None]) -> None:
    """Make the database where it is missing; call it under the lock only.

    The schema is made aside and moved into place: two writers, or a kill, among its migrations would leave a file that
    MLflow can neither use nor repair.

    Raises
    ------
    sqlite3.Error
        If the file is no database.
    """
    for left in path.parent.glob(f".{path.name}.*"):  # of a killed process
        shutil.rmtree(left)
    if path.exists() and path.stat().st_size > 0:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA schema_version")  # here a wrong file fails at once, in MLflow after many retries
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as aside:
        make_schema(Path(aside) / path.name)
        os.replace(Path(aside) / path.name, path)


def move_artifacts(path: Path, before: str, now: str) -> None:
    """Let all runs and models find their artifacts again: MLflow keeps absolute places, and a project moves."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for table, column in PLACES:
            connection.execute(
                f"UPDATE {table} SET {column} = :now || substr({column}, length(:before) + 1)"
                f" WHERE substr({column} || '/', 1, length(:before) + 1) = :before || '/'",
                {"now": now, "before": before},
            )

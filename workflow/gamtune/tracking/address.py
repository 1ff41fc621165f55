"""The address of the tracking store, and the error that is raised if the store cannot be used."""

from pathlib import Path

from gamtune.errors import StepError

SQLITE = "sqlite:///"


class TrackingError(StepError):
    """The tracking store cannot be used; the message is one line with its address and the problem."""

    def __init__(self, uri: str, problem: str) -> None:
        super().__init__(f"{uri}: {' '.join(problem.split())}")


def is_server(uri: str) -> bool:
    """Return whether the store is an MLflow server, which has its own UI."""
    return uri.startswith(("http://", "https://"))


def database_path(uri: str) -> Path | None:
    """Return the absolute path of an SQLite database; None for a server.

    Raises
    ------
    TrackingError
        If the address contains no path.

    Examples
    --------
    >>> str(database_path("sqlite:////data/mlflow.db?timeout=60"))
    '/data/mlflow.db'
    >>> database_path("http://127.0.0.1:5000")
    """
    if not uri.startswith(SQLITE):
        return None
    path = uri.removeprefix(SQLITE).partition("?")[0]
    if path in ("", ":memory:"):
        raise TrackingError(uri, "the path of the database is missing, expected sqlite:///path/to/mlflow.db")
    return Path(path).absolute()


def absolute_uri(uri: str) -> str:
    """Return the address with an absolute path, because MLflow resolves a relative one in each process separately."""
    path = database_path(uri)
    if path is None:
        return uri.rstrip("/")
    _, question_mark, query = uri.partition("?")
    return f"{SQLITE}{path}{question_mark}{query}"

"""Where the tracking store is: its uri made absolute, and named when it cannot be used."""

from pathlib import Path

from gamtune.errors import StepError

SQLITE = "sqlite:///"


class TrackingError(StepError):
    """The tracking store cannot be used: one line, where it is and what happened."""

    def __init__(self, uri: str, problem: str) -> None:
        super().__init__(f"{uri}: {' '.join(problem.split())}")


def is_server(uri: str) -> bool:
    """Whether the store is a server, with a UI of its own."""
    return uri.startswith(("http://", "https://"))


def database_path(uri: str) -> Path | None:
    """The absolute path of an SQLite database; None for a server.

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
        raise TrackingError(uri, "names no file, expected sqlite:///path/to/mlflow.db")
    return Path(path).absolute()


def absolute_uri(uri: str) -> str:
    """The uri that means the same from every directory: MLflow resolves a relative one anew in each process."""
    path = database_path(uri)
    if path is None:
        return uri.rstrip("/")
    _, question_mark, query = uri.partition("?")
    return f"{SQLITE}{path}{question_mark}{query}"

"""Where the tracking store is: its uri made absolute, and shown without credentials when it cannot be used."""

from pathlib import Path
from urllib.parse import unquote

SQLITE = "sqlite:///"


class TrackingError(Exception):
    """The tracking store cannot be used: one line, where it is and what happened."""

    def __init__(self, uri: str, problem: str) -> None:
        line = " ".join(problem.split())
        for secret in _secrets(uri):
            line = line.replace(secret, "***")
        super().__init__(f"{public_uri(uri)}: {line}")


def database_path(uri: str) -> Path | None:
    """The absolute path of an SQLite database; None for every other kind of store.

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
        return uri
    _, question_mark, query = uri.partition("?")
    return f"{SQLITE}{path}{question_mark}{query}"


def public_uri(uri: str) -> str:
    """The uri without login and query, for messages.

    Examples
    --------
    >>> public_uri("https://anna:secret@mlflow.example.org/team?token=1")
    'https://mlflow.example.org/team'
    """
    scheme, separator, rest = uri.partition("://")
    rest = rest.partition("?")[0]
    if scheme != "sqlite":
        rest = rest.rpartition("@")[2]
    return f"{scheme}{separator}{rest}"


def _secrets(uri: str) -> list[str]:
    """Texts of the uri that no message may repeat, the longest first."""
    scheme, _, rest = uri.partition("://")
    rest, _, query = rest.partition("?")
    login = rest.rpartition("@")[0] if scheme != "sqlite" else ""
    password = login.partition(":")[2]
    found = {query, login, password, unquote(password)} - {""}
    return sorted(found, key=len, reverse=True)

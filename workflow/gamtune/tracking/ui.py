"""The local MLflow UI: the command that starts it safely and the link to a study in it."""

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from gamtune.tracking.address import TrackingError, absolute_uri, database_path, public_uri

# MLflow opens an experiment on a page for language models; only a full link leads to the ranked trials.
TRIALS = (
    "workflowType=machine_learning"
    f"&orderByKey={quote('metrics.`validation_mse`')}&orderByAsc=true"
    f"&searchFilter={quote('tags.`gamtune.role` = ' + chr(39) + 'trial' + chr(39))}"
)


def ui_command(uri: str, results: Path, port: int) -> tuple[list[str], dict[str, str]]:
    """The command line and environment of an MLflow UI that only this machine can reach.

    One worker on the loopback, that answers to its own names only (MLflow's default patterns also match
    ``10.evil.example``), runs no jobs, reports nothing and unpickles nothing.

    Parameters
    ----------
    uri : str
        An SQLite or other database; it travels in the environment, since a command line is public.
    results : Path
        Folder of all studies.
    port : int
        Of the loopback interface.

    Raises
    ------
    TrackingError
        If the store is a server already, or not made yet: the UI and a sync that both make it would break it.
    """
    if uri.startswith(("http://", "https://")):
        raise TrackingError(uri, "is a server with its own UI, open it in the browser")
    path = database_path(uri)
    if path is not None and not path.exists():
        raise TrackingError(uri, "not made yet, run a study or `gamtune sync` first")
    arguments = {
        "--host": "127.0.0.1",
        "--port": str(port),
        "--workers": "1",
        "--allowed-hosts": f"localhost:{port},127.0.0.1:{port}",
        "--default-artifact-root": (results.absolute() / "mlartifacts").as_uri(),
    }
    command = [sys.executable, "-m", "mlflow", "server", "--no-serve-artifacts"]
    environment = {
        **os.environ,
        "MLFLOW_BACKEND_STORE_URI": absolute_uri(uri),
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_ENABLE_AI_GATEWAY": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    }
    return [*command, *(word for pair in arguments.items() for word in pair)], environment


def deep_link(study: str, uri: str, port: int) -> str:
    """The link to a study's trials, the best first; to the list of experiments while the study is in no store.

    Quick on SQLite, which is read without MLflow.
    """
    is_server = uri.startswith(("http://", "https://"))
    site = public_uri(uri).rstrip("/") if is_server else f"http://127.0.0.1:{port}"
    path = database_path(uri)
    experiment_id = _id_in_store(study, uri) if path is None else _id_in_database(study, path)
    if experiment_id is None:
        return f"{site}/#/experiments"
    return f"{site}/#/experiments/{experiment_id}/runs?{TRIALS}"


def _id_in_database(study: str, path: Path) -> str | None:
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            row = connection.execute("SELECT experiment_id FROM experiments WHERE name = ?", (study,)).fetchone()
    except sqlite3.Error:
        return None
    return None if row is None else str(row[0])


def _id_in_store(study: str, uri: str) -> str | None:
    """A link is not worth an error: without an answer it leads to the list of experiments."""
    from gamtune.tracking.store import find_experiment

    try:
        return find_experiment(study, uri)
    except TrackingError:
        return None

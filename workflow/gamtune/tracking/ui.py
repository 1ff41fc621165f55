"""The local MLflow UI: the command that starts it safely and the link to a study in it."""

import errno
import os
import socket
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from gamtune.errors import InputError
from gamtune.results.layout import Results
from gamtune.tracking.address import TrackingError, absolute_uri, database_path
from gamtune.tracking.saved_view import PLAIN_QUERY, QUERY, TAG
from gamtune.tracking.study import TrackedStudy

HOST = "127.0.0.1"  # this machine only


def check_port(port: int) -> None:
    """Check that the UI can listen on a port of the loopback interface.

    Raises
    ------
    InputError
        If it cannot; the message names a port that is free.
    """
    problem = _port_problem(port)
    if problem:
        free = next((other for other in range(5000, 5100) if not _port_problem(other)), None)
        advice = f"use another one: --port {free}, or make ui PORT={free}" if free else "use another one: --port"
        raise InputError([f"port {port} {problem}; {advice}"])


def _port_problem(port: int) -> str:
    """Why nothing can listen on a port, empty if something can."""
    if not 0 < port < 65536:
        return "does not exist, expected a number from 1 to 65535"
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does after an earlier one ended
        try:
            listener.bind((HOST, port))
            listener.listen()
        except PermissionError:
            return "is reserved for the administrator of this machine"
        except OSError as error:
            return "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
    return ""


def ui_command(study: TrackedStudy, port: int) -> tuple[list[str], dict[str, str]]:
    """The command line and environment of an MLflow UI that only this machine can reach.

    One worker on the loopback, that answers to its own names only (MLflow's default patterns also match
    ``10.evil.example``), runs no jobs, reports nothing and unpickles nothing.

    Parameters
    ----------
    study : TrackedStudy
        Of an SQLite store.
    port : int
        Of the loopback interface.

    Raises
    ------
    TrackingError
        If the store is a server already, or not made yet: the UI and a sync that both make it would break it.
    """
    uri, path = study.uri, database_path(study.uri)
    if path is None:
        raise TrackingError(uri, f"is a server with a UI of its own: {deep_link(study, port)}")
    if not path.exists():
        raise TrackingError(uri, "not made yet, run a study or `gamtune sync` first")
    arguments = {
        "--host": HOST,
        "--port": str(port),
        "--workers": "1",
        "--allowed-hosts": f"localhost:{port},127.0.0.1:{port}",
        "--default-artifact-root": Results(study.results.absolute()).artifacts.as_uri(),
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


def deep_link(study: TrackedStudy, port: int) -> str:
    """The link to the view of a study's trials; to the list of experiments while the study is in no store.

    Quick on SQLite, which is read without MLflow.
    """
    path = database_path(study.uri)
    site = absolute_uri(study.uri) if path is None else f"http://127.0.0.1:{port}"
    found = _in_store(study) if path is None else _in_database(study.name, path)
    if found is None:
        return f"{site}/#/experiments"
    experiment_id, has_view = found
    return f"{site}/#/experiments/{experiment_id}/runs?{QUERY if has_view else PLAIN_QUERY}"


def _in_database(study: str, path: Path) -> tuple[str, bool] | None:
    """The experiment's id, and whether it has the saved view."""
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            row = connection.execute("SELECT experiment_id FROM experiments WHERE name = ?", (study,)).fetchone()
            tags = "SELECT 1 FROM experiment_tags WHERE experiment_id = ? AND key = ?"
            return (str(row[0]), connection.execute(tags, (row[0], TAG)).fetchone() is not None) if row else None
    except sqlite3.Error:
        return None


def _in_store(study: TrackedStudy) -> tuple[str, bool] | None:
    """The same; a link is not worth an error: without an answer it leads to the list of experiments."""
    from gamtune.tracking.store import find_experiment

    try:
        experiment = find_experiment(study)
    except TrackingError:
        return None
    return None if experiment is None else (str(experiment.experiment_id), TAG in experiment.tags)

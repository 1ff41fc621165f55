"""The local MLflow UI: the command that starts it, and the link to a study."""

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

HOST = "127.0.0.1"  # loopback interface: other machines cannot connect


def check_port(port: int) -> None:
    """Check that the UI can listen on a port of the loopback interface.

    Raises
    ------
    InputError
        If it cannot; the message proposes a free port.
    """
    problem = _port_problem(port)
    if problem:
        free = next((other for other in range(5000, 5100) if not _port_problem(other)), None)
        advice = f"use another one: --port {free}, or make ui PORT={free}" if free else "use another one: --port"
        raise InputError([f"port {port} {problem}; {advice}"])


def _port_problem(port: int) -> str:
    """Return why the UI cannot listen on a port, or an empty text if it can."""
    if not 0 < port < 65536:
        return "is not valid, expected a number from 1 to 65535"
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as MLflow's server does
        try:
            listener.bind((HOST, port))
            listener.listen()
        except PermissionError:
            return "is reserved for the administrator of this machine"
        except OSError as error:
            return "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
    return ""


def ui_command(study: TrackedStudy, port: int) -> tuple[list[str], dict[str, str]]:
    """Return the command line and the environment of an MLflow UI that only this machine can reach.

    The UI has one worker, which listens on the loopback interface and accepts the host names ``localhost`` and
    ``127.0.0.1`` only (MLflow's default patterns also match ``10.evil.example``). Jobs, telemetry and unpickling are
    disabled.

    Parameters
    ----------
    study : TrackedStudy
        A study with an SQLite store.
    port : int
        Port of the loopback interface.

    Raises
    ------
    TrackingError
        If the store is a server, or does not exist yet. The UI must not create the store, because a sync that creates
        it at the same time would damage it.
    """
    uri, path = study.uri, database_path(study.uri)
    if path is None:
        raise TrackingError(uri, f"the tracking store is a server; open its UI: {deep_link(study, port)}")
    if not path.exists():
        raise TrackingError(uri, "the database does not exist yet; run a study or `gamtune sync CONFIG` first")
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
    """Return the link to the trials of a study in MLflow's UI, or to the list of experiments if it is not tracked yet.

    An SQLite database is read without importing MLflow, which takes seconds.

    Parameters
    ----------
    study : TrackedStudy
        The study.
    port : int
        Port of the local UI, if the store is an SQLite database.
    """
    path = database_path(study.uri)
    site = absolute_uri(study.uri) if path is None else f"http://127.0.0.1:{port}"
    experiment = _experiment_of_server(study) if path is None else _experiment_in_database(study.name, path)
    if experiment is None:
        return f"{site}/#/experiments"
    experiment_id, has_view = experiment
    return f"{site}/#/experiments/{experiment_id}/runs?{QUERY if has_view else PLAIN_QUERY}"


def _experiment_in_database(study: str, path: Path) -> tuple[str, bool] | None:
    """Return the id of the experiment of a study, and whether it has the saved view; None if it cannot be read."""
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            row = connection.execute("SELECT experiment_id FROM experiments WHERE name = ?", (study,)).fetchone()
            tags = "SELECT 1 FROM experiment_tags WHERE experiment_id = ? AND key = ?"
            return (str(row[0]), connection.execute(tags, (row[0], TAG)).fetchone() is not None) if row else None
    except sqlite3.Error:
        return None


def _experiment_of_server(study: TrackedStudy) -> tuple[str, bool] | None:
    """Return the same for a server; None if the server cannot be reached, because a missing link is not an error."""
    from gamtune.tracking.store import find_experiment

    try:
        experiment = find_experiment(study)
    except TrackingError:
        return None
    return None if experiment is None else (str(experiment.experiment_id), TAG in experiment.tags)

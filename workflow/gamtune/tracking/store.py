"""Opening the tracking store: the only way to it, one process at a time."""

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from gamtune.files import locked
from gamtune.results.layout import Results
from gamtune.tracking.address import SQLITE, TrackingError, absolute_uri, database_path, is_server
from gamtune.tracking.database import move_artifacts, prepare_database
from gamtune.tracking.study import TrackedStudy

SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # the 7 by default wait four minutes for a server that is down
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_SQLALCHEMYSTORE_POOLCLASS": "NullPool",  # a pooled connection would go on writing to a deleted database
}
os.environ.update(SETTINGS | dict(os.environ))  # whoever set one of them meant it

# isort: split
# MLflow reads some of them while it is imported.
from mlflow import MlflowClient, __version__, set_tracking_uri  # noqa: E402
from mlflow.entities import Experiment  # noqa: E402
from mlflow.exceptions import MlflowException  # noqa: E402
from mlflow.utils.credentials import get_default_host_creds  # noqa: E402
from mlflow.utils.rest_utils import http_request  # noqa: E402
from requests import RequestException  # noqa: E402
from sqlalchemy.exc import SQLAlchemyError  # noqa: E402

for name in ("mlflow", "alembic", "urllib3"):
    logging.getLogger(name).setLevel(logging.ERROR)

NOTE = """Study **{study}**. The tag `gamtune.role` says what a run is: `trial` a row of the table, `confirmation` a
candidate retrained with a fresh weight seed, `optimum` the chosen network, `final` the same settings, and those
it is compared with on the test rows, on further weight seeds, `study` the tables, figures and report."""


@dataclass(frozen=True)
class Store:
    """An open tracking store and the experiment of one study in it."""

    client: MlflowClient
    uri: str
    study: TrackedStudy
    experiment_id: str

    def version(self) -> str:
        """Version of the MLflow whose UI shows the store, of two numbers."""
        version = __version__
        if is_server(self.uri):
            answer = http_request(get_default_host_creds(self.uri), "/version", "GET")  # type: ignore[no-untyped-call]
            version = answer.text.strip()
        return ".".join(version.split(".")[:2])


@contextmanager
def open_store(study: TrackedStudy) -> Iterator[Store]:
    """The store with the study's experiment, made where missing; held under the lock until the block ends.

    Parameters
    ----------
    study : TrackedStudy
        Its folder of results holds the lock of a server, and the artifacts of an SQLite store.

    Raises
    ------
    TrackingError
        If the store cannot be reached, read or written, here or within the block.
    """
    results, location, path = study.results, absolute_uri(study.uri), database_path(study.uri)
    with _errors_in_one_line(study.uri), locked(study.lock):
        if path is not None:
            prepare_database(path, _make_schema)
        # Models that are sources of versions are looked up in the default store, which would be made in the
        # working directory
        set_tracking_uri(location)
        client = MlflowClient(tracking_uri=location, registry_uri=location)
        artifacts = None if path is None else (Results(results.resolve()).artifacts / study.name).as_uri()
        experiment = _experiment(client, study.name, artifacts)
        if path is not None and artifacts is not None and experiment.artifact_location != artifacts:
            move_artifacts(path, experiment.artifact_location, artifacts)
        yield Store(client, location, study, experiment.experiment_id)


def find_experiment(study: TrackedStudy) -> Experiment | None:
    """Return a study's experiment, or None while there is none."""
    path = database_path(study.uri)
    if path is not None and not path.exists():
        return None
    with _errors_in_one_line(study.uri), nullcontext() if path is None else locked(study.lock):
        return MlflowClient(tracking_uri=absolute_uri(study.uri)).get_experiment_by_name(study.name)


@contextmanager
def _errors_in_one_line(uri: str) -> Iterator[None]:
    try:
        yield
    except (MlflowException, SQLAlchemyError, RequestException, sqlite3.Error, OSError) as error:
        raise TrackingError(uri, _problem(error)) from error


def _make_schema(path: Path) -> None:
    MlflowClient(tracking_uri=f"{SQLITE}{path}").search_experiments(max_results=1)


def _experiment(client: MlflowClient, study: str, artifacts: str | None) -> Experiment:
    """The study's experiment; one that somebody deleted in the UI comes back, since its name stays taken."""
    experiment = client.get_experiment_by_name(study)
    if experiment is None:
        note = {"mlflow.note.content": NOTE.format(study=study)}
        return client.get_experiment(client.create_experiment(study, artifact_location=artifacts, tags=note))
    if experiment.lifecycle_stage == "deleted":
        client.restore_experiment(experiment.experiment_id)
    return experiment


def _problem(error: BaseException) -> str:
    """What happened, in a few words: the system's own where MLflow wrapped them in five layers of others."""
    cause = error
    while (deeper := cause.__cause__ or cause.__context__) is not None:
        cause = deeper
    if isinstance(cause, OSError) and cause.strerror and cause is not error:
        return cause.strerror
    if "failed with error code 401" in str(error):
        return "asks for a login, expected MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD in the environment"
    return str(error).partition("\n")[0]

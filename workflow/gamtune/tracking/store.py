"""Access to the tracking store, for one process at a time."""

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
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # the default of 7 waits four minutes for a server that is down
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_SQLALCHEMYSTORE_POOLCLASS": "NullPool",  # a pooled connection would continue to write to a deleted database
}
os.environ.update(SETTINGS | dict(os.environ))  # variables that the user has set take precedence

# isort: split
# MLflow reads some of these variables while it is imported.
from mlflow import MlflowClient, __version__, set_tracking_uri  # noqa: E402
from mlflow.entities import Experiment  # noqa: E402
from mlflow.exceptions import MlflowException  # noqa: E402
from mlflow.utils.credentials import get_default_host_creds  # noqa: E402
from mlflow.utils.rest_utils import http_request  # noqa: E402
from requests import RequestException  # noqa: E402
from sqlalchemy.exc import SQLAlchemyError  # noqa: E402

for name in ("mlflow", "alembic", "urllib3"):
    logging.getLogger(name).setLevel(logging.ERROR)

NOTE = """Study **{study}**. The tag `gamtune.role` is the role of a run:

- `trial`: a trial of the parameter table or of a later stage;
- `confirmation`: a candidate that is trained again with a fresh weight seed;
- `optimum`: the selected configuration, whose model is exported and registered;
- `final`: the other final trials, which are scored on the test set;
- `study`: the tables, figures and report of the study."""


@dataclass(frozen=True)
class Store:
    """An open tracking store and the experiment of one study in it."""

    client: MlflowClient
    uri: str
    study: TrackedStudy
    experiment_id: str

    def version(self) -> str:
        """Return the version (major.minor) of the MLflow whose UI shows the store."""
        version = __version__
        if is_server(self.uri):
            answer = http_request(get_default_host_creds(self.uri), "/version", "GET")  # type: ignore[no-untyped-call]
            version = answer.text.strip()
        return ".".join(version.split(".")[:2])


@contextmanager
def open_store(study: TrackedStudy) -> Iterator[Store]:
    """Open the store, and hold its lock until the block ends; the experiment of the study is created if it is missing.

    Parameters
    ----------
    study : TrackedStudy
        The study. Its folder of results contains the lock, and the artifacts of an SQLite store.

    Raises
    ------
    TrackingError
        If the store cannot be reached, read or written, also within the block.
    """
    results, location, path = study.results, absolute_uri(study.uri), database_path(study.uri)
    with _errors_in_one_line(study.uri), locked(study.lock):
        if path is not None:
            prepare_database(path, _make_schema)
        # MLflow looks up the source of a model version in the default store, which it would otherwise create in the
        # working directory
        set_tracking_uri(location)
        client = MlflowClient(tracking_uri=location, registry_uri=location)
        artifacts = None if path is None else (Results(results.resolve()).artifacts / study.name).as_uri()
        experiment = _experiment(client, study.name, artifacts)
        if path is not None and artifacts is not None and experiment.artifact_location != artifacts:
            move_artifacts(path, experiment.artifact_location, artifacts)
        yield Store(client, location, study, experiment.experiment_id)


def find_experiment(study: TrackedStudy) -> Experiment | None:
    """Return the experiment of a study, or None if it does not exist yet.

    Raises
    ------
    TrackingError
        If the store cannot be reached or read.
    """
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
    """Return the experiment of the study; one that was deleted in the UI is restored, as its name cannot be reused."""
    experiment = client.get_experiment_by_name(study)
    if experiment is None:
        note = {"mlflow.note.content": NOTE.format(study=study)}
        return client.get_experiment(client.create_experiment(study, artifact_location=artifacts, tags=note))
    if experiment.lifecycle_stage == "deleted":
        client.restore_experiment(experiment.experiment_id)
    return experiment


def _problem(error: BaseException) -> str:
    """Return a short description of an error: the message of the operating system if MLflow has wrapped it."""
    cause = error
    while (deeper := cause.__cause__ or cause.__context__) is not None:
        cause = deeper
    if isinstance(cause, OSError) and cause.strerror and cause is not error:
        return cause.strerror
    if "failed with error code 401" in str(error):
        return "the server requires a login; set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
    return str(error).partition("\n")[0]

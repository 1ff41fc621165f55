"""Shared fixtures: a config that tests can change, prepared data, and an empty tracking store."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from configs import CONFIG, changed
from hypothesis import settings
from messages import messages  # noqa: F401 (a fixture)

from gamtune.config.data_section import Data
from gamtune.config.load import parse_study
from gamtune.config.study import Study
from gamtune.data.prepare import prepare
from gamtune.runtime.warm import VARIABLE, start_server

settings.register_profile("untimed", deadline=None)  # tests may be slow on a busy machine
settings.load_profile("untimed")


LONGEST = ("tests/attack/", "tests/workflow/")
WORKERS = "TEST_WORKERS"  # environment variable with the server of workers that the tests of all processes may use


def pytest_configure(config: pytest.Config) -> None:
    """Start one server of workers for the tests of all processes of pytest-xdist; it imports TensorFlow when it is needed."""
    if WORKERS not in os.environ:  # in the process that starts the others
        folder = tempfile.TemporaryDirectory(prefix="test-workers-")
        config.add_cleanup(folder.cleanup)
        before = os.environ.pop(VARIABLE, None)
        start_server(Path(folder.name, "log.txt"))
        os.environ[WORKERS] = os.environ.pop(VARIABLE, "")
        if before is not None:
            os.environ[VARIABLE] = before


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let each process of pytest-xdist begin with some of the longest tests, so that all end at the same time.

    Work stealing gives each process an equal share of the tests, in their order.
    """
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    longest = [item for item in items if item.nodeid.startswith(LONGEST)]
    others = [item for item in items if not item.nodeid.startswith(LONGEST)]
    begins = [round(len(others) * process / processes) for process in range(processes + 1)]
    ordered = []
    for process in range(processes):
        ordered += longest[process::processes] + others[begins[process] : begins[process + 1]]
    items[:] = ordered


@pytest.fixture
def make_study() -> Callable[..., Study]:
    """Return a function that makes the small study with changes at dotted keys."""
    return lambda **changes: parse_study(
        changed(CONFIG, {key.replace("__", "."): value for key, value in changes.items()}), "config.yaml"
    )


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of dataset.json of the prepared digits."""
    folder = tmp_path_factory.mktemp("digits")
    prepare(Data(source="digits"), folder)
    return folder / "dataset.json"


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an empty tracking store, which is made once because MLflow's migrations take seconds."""
    from tracked import Study

    study = Study(tmp_path_factory.mktemp("empty"))
    with study.open():
        return study.results / "mlflow.db"


@pytest.fixture
def study(tmp_path: Path, empty_database: Path) -> Any:
    """Return a study that has not been tracked yet, in a separate store."""
    from tracked import Study

    study = Study(tmp_path)
    study.results.mkdir()
    shutil.copy(empty_database, study.results / "mlflow.db")
    return study

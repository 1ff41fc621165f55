"""Real Snakemake runs: a folder with a small study, and one finished study that tests copy and change."""

import fcntl
import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from project import ROOT, Project, make_project

from gamtune.runtime.warm import VARIABLE


@pytest.fixture(scope="session")
def worker_server() -> Mapping[str, str]:
    """Return the variables that name a server of workers, which all runs share to import TensorFlow only once."""
    return {VARIABLE: os.environ["TEST_WORKERS"]}


@pytest.fixture
def new_project(tmp_path: Path, worker_server: Mapping[str, str], empty_database: Path) -> Project:
    """Return a project in which nothing has run, with an empty tracking store."""
    project = make_project(tmp_path / "project", worker_server)
    (project.folder / "results").mkdir()
    shutil.copy(empty_database, project.folder / "results" / "mlflow.db")
    return project


@pytest.fixture
def untouched_project(tmp_path: Path) -> Project:
    """Return a project that contains only config and data, and whose runs start a separate server of workers."""
    return make_project(tmp_path / "project")


@pytest.fixture(scope="session")
def finished_once(
    tmp_path_factory: pytest.TempPathFactory, worker_id: str, worker_server: Mapping[str, str]
) -> Project:
    """Return a project whose study was run once for all test processes; tests must not change it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "finished"
    with (folder.parent / "finished.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "run.txt").exists():
            project = make_project(folder, worker_server)
            done = project.snakemake()
            assert done.code == 0, done.output
            (folder / "run.txt").write_text(done.output)
    return Project(folder)


@pytest.fixture
def finished(finished_once: Project, tmp_path: Path, worker_server: Mapping[str, str]) -> Project:
    """Return a copy of the finished project, which tests may change."""
    folder = tmp_path / "project"
    shutil.copytree(finished_once.folder, folder, symlinks=True)
    return replace(finished_once, folder=folder, environment=worker_server)


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the project."""
    return ROOT

"""Real Snakemake runs: a copy of the project with a small study, and one finished study that tests copy and change."""

import csv
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from configs import changed
from exported import check_export

ROOT = Path(__file__).parents[2]
SMALL: dict[str, Any] = {
    "study": "small",
    "data": {"source": "table", "path": "data/digits.csv", "target": "digit"},
    "search": {"strategy": "random", "draws": 5, "seed": 1},
    "space": {
        "depth": {"integer": [1, 2]},
        "neurons": {"integer": [8, 32], "per": "depth"},
        "l1": {"uniform": [0, 0.001]},
        "rho": {"uniform": [0.9, 0.999]},
    },
    "training": {"epochs": 2, "batch_size": 128},
    "analysis": {"gam": "s(l1, k=3) + rho"},
    "decision": {"rules": ["best_observed", "gam_optimum"], "confirm": {"top": 1, "replicates": 2},
                 "final": {"replicates": 2}},
}  # fmt: skip
TRAININGS = 5  # of the table; on top come two candidates with two confirmations, and the final ones: of the optimum and
# of the best row, unless that is the optimum, two each
# Found as the project's own would be, whatever the virtual environment is
PYTHON_FOLDER = Path(sys.executable).parent


@dataclass
class Finished:
    """One call of a command in a project."""

    code: int
    output: str

    @property
    def nothing_done(self) -> bool:
        """Whether Snakemake found everything up to date."""
        return "Nothing to be done" in self.output

    @property
    def jobs(self) -> dict[str, int]:
        """Jobs by rule, from the table that Snakemake prints before it runs or instead of running."""
        return {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", self.output, re.M) if rule != "total"}


@dataclass
class Project:
    """A copy of the project in a folder of its own."""

    folder: Path
    config: str = "config/small.yaml"

    def configure(self, **changes: Any) -> None:
        """Write the small study's config with changes at keys, dots spelt as double underscores."""
        config = changed(SMALL, {key.replace("__", "."): value for key, value in changes.items()})
        (self.folder / self.config).write_text(yaml.safe_dump(config, sort_keys=False))

    def call(self, *command: str, timeout: float = 400) -> Finished:
        """Run a command in the project's folder, without the virtual environment being activated."""
        environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
        done = subprocess.run(
            command, cwd=self.folder, env=environment, timeout=timeout, text=True, capture_output=True, check=False
        )
        return Finished(done.returncode, done.stdout + done.stderr)

    def snakemake(self, *arguments: str) -> Finished:
        """Run Snakemake on the small study; what it exports must score exactly what it reports."""
        command = (str(PYTHON_FOLDER / "snakemake"), "--cores", "2", "--configfile", self.config, *arguments)
        done = self.call(*command)
        if done.code == 0 and "-n" not in arguments and self.path("optimum/comparison.csv").exists():
            check_export(self.path())
        return done

    def planned(self) -> dict[str, int]:
        """Jobs that Snakemake would run, by rule; none where there is nothing to be done."""
        done = self.snakemake("-n")
        assert done.code == 0, done.output
        return {} if done.nothing_done else done.jobs

    def gamtune(self, *arguments: str) -> Finished:
        """Run the command line."""
        return self.call(str(PYTHON_FOLDER / "gamtune"), *arguments)

    def path(self, relative: str = "") -> Path:
        """A path among the study's results."""
        return self.folder / "results" / "small" / relative

    def json(self, relative: str) -> Any:
        """Content of a JSON file among the results."""
        return json.loads(self.path(relative).read_text())

    def rows(self, relative: str) -> list[dict[str, str]]:
        """Rows of a CSV file among the results."""
        with self.path(relative).open(newline="") as file:
            return list(csv.DictReader(file))

    def edit(self, relative: str, old: str, new: str) -> None:
        """Replace a text in a file of the project."""
        file = self.folder / relative
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))


def copy_project(folder: Path) -> Project:
    """The project's own files, with the digits as a CSV file of 300 rows."""
    folder.mkdir(parents=True)
    for name in ("Snakefile", "Makefile", "config", "envs", "profiles", "workflow"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, folder / name)
    from sklearn.datasets import load_digits

    table = load_digits(as_frame=True).frame.rename(columns={"target": "digit"}).iloc[:300]
    (folder / "data").mkdir()
    table.to_csv(folder / "data" / "digits.csv", index=False)
    project = Project(folder)
    project.configure()
    return project


@pytest.fixture
def new_project(tmp_path: Path) -> Project:
    """A project in which nothing has run."""
    return copy_project(tmp_path / "project")


@pytest.fixture(scope="session")
def finished_once(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Project:
    """A project whose study has been run, once for all test processes; tests must not change it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "finished"
    with (folder.parent / "finished.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "run.txt").exists():
            project = copy_project(folder)
            done = project.snakemake()
            assert done.code == 0, done.output
            (folder / "run.txt").write_text(done.output)
    return Project(folder)


@pytest.fixture
def finished(finished_once: Project, tmp_path: Path) -> Project:
    """A copy of the finished project, free to be changed."""
    folder = tmp_path / "project"
    shutil.copytree(finished_once.folder, folder, symlinks=True)
    return Project(folder)


@pytest.fixture(scope="session")
def root() -> Path:
    """The project itself."""
    return ROOT

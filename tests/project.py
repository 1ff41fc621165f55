"""A folder in which a small study runs with the real Snakemake, and the output of its commands."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from configs import changed
from exported import check_export

ROOT = Path(__file__).parents[1]
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
    "selection": {"rules": ["best_observed", "gam_optimum"], "confirm": {"top": 1, "replicates": 2},
                 "final": {"replicates": 2}},
}  # fmt: skip
# The compiled files are found as in a checkout, for any virtual environment
PYTHON_FOLDER = Path(sys.executable).parent
HIDDEN = ("PYTHONPATH", "VIRTUAL_ENV")  # a user has not set these variables


@dataclass
class Finished:
    """Call of a command in a project."""

    code: int
    output: str

    @property
    def nothing_done(self) -> bool:
        """Return whether Snakemake found everything up to date."""
        return "Nothing to be done" in self.output

    @property
    def jobs(self) -> dict[str, int]:
        """Return the number of jobs by rule, from the table that Snakemake prints."""
        return {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", self.output, re.M) if rule != "total"}


@dataclass
class Project:
    """A folder with data, a config and results; the code is the project's own unless `copy_code` was called.

    Parameters
    ----------
    folder : Path
        Working directory of all commands.
    config : str
        The study's config in it.
    code : Path
        Folder of the Snakefile.
    environment : mapping
        Variables of all commands, beside those of this process.
    """

    folder: Path
    config: str = "config/small.yaml"
    code: Path = ROOT
    environment: Mapping[str, str] = field(default_factory=dict)

    def configure(self, **changes: Any) -> None:
        """Write the small study's config with changes at keys, dots spelt as double underscores."""
        config = changed(SMALL, {key.replace("__", "."): value for key, value in changes.items()})
        (self.folder / self.config).write_text(yaml.safe_dump(config, sort_keys=False))

    def variables(self) -> dict[str, str]:
        """Return the environment of a user who has not activated the virtual environment."""
        return {name: value for name, value in os.environ.items() if name not in HIDDEN} | dict(self.environment)

    def call(self, *command: str, timeout: float = 400) -> Finished:
        """Run a command in the project's folder."""
        done = subprocess.run(
            command, cwd=self.folder, env=self.variables(), timeout=timeout, text=True, capture_output=True, check=False
        )
        return Finished(done.returncode, done.stdout + done.stderr)

    def snakemake_command(self, *arguments: str) -> list[str]:
        """Return the call of Snakemake on the small study."""
        here = [] if self.code == self.folder else ["--snakefile", str(self.code / "Snakefile")]
        return [str(PYTHON_FOLDER / "snakemake"), *here, "--configfile", self.config, "--cores", "2", *arguments]

    def snakemake(self, *arguments: str) -> Finished:
        """Run Snakemake on the small study and check that the exported model reproduces the reported scores."""
        done = self.call(*self.snakemake_command(*arguments))
        if done.code == 0 and "-n" not in arguments and self.path("optimum/comparison.csv").exists():
            check_export(self.path())
        return done

    def planned(self) -> dict[str, int]:
        """Return the number of jobs by rule that Snakemake would run."""
        done = self.snakemake("-n")
        assert done.code == 0, done.output
        return {} if done.nothing_done else done.jobs

    def gamtune(self, *arguments: str) -> Finished:
        """Run the command line."""
        return self.call(str(PYTHON_FOLDER / "gamtune"), *arguments)

    def path(self, relative: str = "") -> Path:
        """Return a path in the results of the study."""
        return self.folder / "results" / "small" / relative

    def json(self, relative: str) -> Any:
        """Return the content of a JSON file of the results."""
        return json.loads(self.path(relative).read_text())

    def rows(self, relative: str) -> list[dict[str, str]]:
        """Return the rows of a CSV file of the results."""
        with self.path(relative).open(newline="") as file:
            return list(csv.DictReader(file))

    def edit(self, relative: str, old: str, new: str) -> None:
        """Replace a text in a file of the project."""
        file = self.folder / relative
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def copy_code(self) -> None:
        """Copy the code, including compiled files, into the project, so that a test can edit it."""
        for name in ("Snakefile", "Makefile", "config", "envs", "profiles", "workflow"):
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, self.folder / name, dirs_exist_ok=True)
            else:
                shutil.copy2(source, self.folder / name)
        self.code = self.folder


def make_project(folder: Path, environment: Mapping[str, str] | None = None) -> Project:
    """Return a project in a new folder, in which nothing has run, with the digits as a CSV file of 300 rows."""
    from sklearn.datasets import load_digits

    for name in ("config", "data"):
        (folder / name).mkdir(parents=True)
    table = load_digits(as_frame=True).frame.rename(columns={"target": "digit"}).iloc[:300]
    table.to_csv(folder / "data" / "digits.csv", index=False)
    project = Project(folder, environment=environment or {})
    project.configure()
    return project


def write_mixed(folder: Path) -> None:
    """Write data/mixed.csv: 240 rows of numbers, texts and gaps from twelve sites, whose kind follows from both."""
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(1)
    colour = random.choice(["red", "green", "blue"], 240)
    length = random.normal(size=240)
    table = pd.DataFrame({"length": length, "colour": colour, "width": random.normal(size=240), "unit": "cm"})
    table["kind"] = np.where(length + (colour == "red") > 0.3, "long", "short")
    table["yield"] = 3 * length + (colour == "red") + random.normal(size=240) / 5
    table["site"] = np.repeat(list("ABCDEFGHIJKL"), 20)
    table.loc[::7, "width"] = None
    table.loc[::11, "colour"] = None
    table.loc[100, table.columns != "site"] = table.loc[0, table.columns != "site"]
    table.to_csv(folder / "data/mixed.csv", index=False)

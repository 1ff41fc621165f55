"""The small studies that are attacked, and the results of an undisturbed run."""

import csv
import hashlib
import json
import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

from project import ROOT, Project, make_project

from attack.verdict import Failure
from gamtune.files import locked

CHEAP: dict[str, Any] = {
    "search__draws": 3,
    "training": {"epochs": 2, "batch_size": 128},
    "selection": {"rules": ["best_observed"], "confirm": {"top": 1, "replicates": 1}, "final": {"replicates": 1}},
}
STUDIES: dict[str, dict[str, Any]] = {
    "plain": CHEAP | {"analysis": None},
    "gam": CHEAP | {"search__draws": 5},
    "cold": CHEAP | {"analysis": None, "execution": {"workers": "process"}},
    "halving": CHEAP | {
        "analysis": None, "search": {"strategy": "halving", "draws": 4, "seed": 1, "eta": 2, "rungs": 2},
        "training": {"epochs": 4, "batch_size": 128},
    },
}  # fmt: skip
# Keys that differ between equal results: times and the number of the attempt
VOLATILE = ("started", "finished", "seconds", "attempt", "time")
ROWS = 150
RECORDS = "record.json"
TIME_COLUMNS = ("seconds", "started", "finished", "attempt")


def make_study(folder: Path, name: str, **variables: str) -> Project:
    """Return one of `STUDIES` in a new folder, with a small table, so that a trial takes less than a second.

    ``variables`` are set in the environment of all its commands.
    """
    # The library of this repository, which may differ from the installed one
    project = make_project(folder, {"PYTHONPATH": str(ROOT / "workflow"), **variables})
    shutil.copy(ROOT / "Makefile", folder)
    (folder / "Snakefile").symlink_to(ROOT / "Snakefile")
    file = folder / "data" / "digits.csv"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[: ROWS + 1]))
    project.configure(**STUDIES[name])
    return project


def finished_study(folder: Path, name: str) -> Project:
    """Return one of `STUDIES` after an undisturbed run, which all attacks and cases in a folder share."""
    project = Project(folder / "finished" / name)
    with locked(folder / f"{name}.lock"):
        if not project.folder.exists():
            made = make_study(project.folder, name)
            done = made.call(*made.snakemake_command())
            if done.code != 0:
                shutil.rmtree(project.folder)
                raise RuntimeError(done.output)
    return project


def content(project: Project, tracked: bool = True) -> dict[str, Any]:
    """Return the results of a study, without times, paths and other parts that differ between equal runs.

    Keys are the paths of files; figures and pages are left out, since they are drawn from the other files. The runs in
    MLflow have the key "mlflow" if ``tracked``.
    """
    folder = project.path()
    results: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.name == RECORDS:
            results[name] = _timeless(json.loads(path.read_text()))
        elif path.suffix == ".csv":
            with path.open(newline="") as file:
                results[name] = [
                    {key: cell for key, cell in row.items() if key not in TIME_COLUMNS} for row in csv.DictReader(file)
                ]
        elif path.suffix == ".npy":
            results[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        elif path.name in ("selection.json", "dataset.json", "preprocessing.json"):
            results[name] = _timeless(json.loads(path.read_text()))
    if tracked:
        results["mlflow"] = _runs(project)
    return results


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(item) for key, item in value.items() if key not in VOLATILE}
    return [_timeless(item) for item in value] if isinstance(value, list) else value


def _runs(project: Project) -> dict[str, Any]:
    """Return the metrics of every active run by its key; duplicate keys are a fault."""
    with closing(sqlite3.connect(f"file:{project.folder / 'results/mlflow.db'}?mode=ro", uri=True)) as database:
        rows = database.execute(
            "SELECT value, run_uuid, status FROM runs JOIN tags USING (run_uuid)"
            " WHERE key = 'gamtune.key' AND lifecycle_stage = 'active'"
        ).fetchall()
        twice = [key for key, count in Counter(key for key, _, _ in rows).items() if count > 1]
        if twice:
            raise Failure("duplicated", f"more than one run in MLflow of {', '.join(twice)}")
        found = {
            key: {
                "status": status,
                "metrics": sorted(
                    database.execute(
                        "SELECT key, value FROM latest_metrics WHERE run_uuid = ? AND key NOT LIKE '%seconds%'", (run,)
                    ).fetchall()
                ),
            }
            for key, run, status in rows
        }
        found["aliases"] = database.execute("SELECT name, alias FROM registered_model_aliases").fetchall()
    return found


def check_equal(found: dict[str, Any], reference: dict[str, Any]) -> None:
    """Compare the content of two studies.

    Raises
    ------
    Failure
        If a part is missing, is not in the reference, or differs.
    """
    if lost := sorted(reference.keys() - found.keys()):
        raise Failure("lost", ", ".join(lost))
    if surplus := sorted(found.keys() - reference.keys()):
        raise Failure("duplicated", f"not in the undisturbed run: {', '.join(surplus)}")
    for name, expected in reference.items():
        if found[name] != expected:
            raise Failure("wrong result", f"{name}: {_difference(found[name], expected)}")


def _difference(found: Any, expected: Any) -> str:
    """Return the first difference between two values in words."""
    if isinstance(found, dict) and isinstance(expected, dict):
        for key in [*expected, *found]:
            if found.get(key) != expected.get(key):
                return f"{key}: {_difference(found.get(key), expected.get(key))}"
    if isinstance(found, list) and isinstance(expected, list):
        if len(found) != len(expected):
            return f"{len(found)} entries instead of {len(expected)}"
        for number, (one, other) in enumerate(zip(found, expected, strict=True)):
            if one != other:
                return f"{number}: {_difference(one, other)}"
    return f"{str(found)[:150]} instead of {str(expected)[:150]}"


def check_complete(folder: Path) -> None:
    """Check that every JSON and CSV file of the results is complete.

    Raises
    ------
    Failure
        If a file is incomplete, because it was not written to a temporary file first.
    """
    for path in (folder / "results").rglob("*"):
        if any(part.startswith(".") for part in path.relative_to(folder).parts) or not path.is_file():
            continue
        try:
            if path.suffix == ".json":
                json.loads(path.read_text())
            elif path.suffix == ".csv":
                with path.open(newline="") as file:
                    rows = list(csv.reader(file))
                if any(len(row) != len(rows[0]) for row in rows) or not path.read_bytes().endswith(b"\n"):
                    raise ValueError("its last line is not complete")
        except FileNotFoundError:
            continue  # it is being replaced
        except ValueError as error:
            raise Failure("incomplete file", f"{path.relative_to(folder)}: {error}") from None


def check_clean(folder: Path) -> None:
    """Check that no temporary file is left among the results.

    Raises
    ------
    Failure
        If a temporary file is left.
    """
    left = [path.relative_to(folder).as_posix() for path in (folder / "results").rglob("*") if ".part" in path.name]
    if left:
        raise Failure("incomplete file", f"left behind: {', '.join(left)}")


def check_logs(folder: Path) -> None:
    """Check that no log among the results contains a traceback.

    Raises
    ------
    Failure
        If a log contains a traceback.
    """
    for path in (folder / "results").rglob("*.txt"):
        text = path.read_text(errors="replace")
        if "Traceback (most recent call last)" in text:
            raise Failure("traceback", f"{path.relative_to(folder)}: {text.strip()[-300:]}")

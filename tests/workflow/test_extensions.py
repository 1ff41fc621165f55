"""Extensions that other packages bring: each in one file, named by an entry point."""

import os

import pytest
from project import ROOT

pytestmark = pytest.mark.workflow

TOYS = ROOT / "tests" / "toys"


def install(folder, **points):
    """Make a package of toys as pip would install it; the search path that finds it."""
    information = folder / "toys-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: toys\nVersion: 1.0\n")
    lines = [f"[gamtune.{group}]\n{name} = {place}\n" for group, (name, place) in points.items()]
    (information / "entry_points.txt").write_text("\n".join(lines))
    return os.pathsep.join(map(str, (folder, TOYS)))


def test_a_strategy_of_another_package_runs_a_study_to_its_report(new_project, tmp_path):
    path = install(tmp_path / "site", strategies=("ends", "toy_strategy:Ends"))
    new_project.environment = {**new_project.environment, "PYTHONPATH": path}
    new_project.configure(
        search={"strategy": "ends", "steps": 3}, space={"l1": {"uniform": [0, 0.01]}, "rho": {"uniform": [0.9, 0.99]}},
        analysis=None, decision={"rules": ["best_observed"], "confirm": {"top": 1, "replicates": 1},
                                 "final": {"replicates": 1}},
    )  # fmt: skip
    done = new_project.snakemake()
    assert done.code == 0, done.output
    rows = new_project.rows("summary.csv")
    assert [(row["name"], row["round"]) for row in rows] == [
        ("end_0", "0"), ("end_1", "0"), ("end_2", "0"), ("middle", "1")
    ]  # fmt: skip
    best = sorted(rows[:3], key=lambda row: float(row["validation_mse"]))[:2]
    assert float(rows[3]["l1"]) == pytest.approx(sum(float(row["l1"]) for row in best) / 2)
    words = "3 values of each hyperparameter, and the middle between the best two"
    assert words in new_project.path("report.html").read_text()
    new_project.configure(search={"strategy": "ends", "steps": 1})
    refused = new_project.gamtune("check", new_project.config)
    assert (refused.code, "search.steps: got 1, expected greater than or equal to 2" in refused.output) == (2, True)

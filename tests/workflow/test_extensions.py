"""Extensions in other packages consist of one file each, which an entry point names."""

import os

import numpy as np
import pytest
from extensions import configured, install
from toys.toy_distribution import Triangular

pytestmark = pytest.mark.workflow

SELECTION = {"rules": ["best_observed"], "confirm": {"top": 1, "replicates": 1}, "final": {"replicates": 1}}


def test_extensions_of_another_package_run_a_study_to_its_report(new_project, tmp_path):
    path = os.pathsep.join(install(tmp_path / "site"))
    new_project.environment = {**new_project.environment, "PYTHONPATH": path}
    new_project.configure(**configured(), analysis=None, selection=SELECTION)
    done = new_project.snakemake()
    assert done.code == 0, done.output
    rows = new_project.rows("summary.csv")
    assert [(row["name"], row["round"]) for row in rows] == [
        ("step_1", "0"), ("step_2", "0"), ("step_3", "0"), ("middle", "1")
    ]  # fmt: skip
    quantiles = Triangular(triangular=(0, 0.01)).quantile(np.array([1, 3, 5]) / 6)
    assert [float(row["l1"]) for row in rows[:3]] == quantiles
    best = sorted(rows[:3], key=lambda row: float(row["validation_mse"]))[:2]
    assert float(rows[3]["l1"]) == pytest.approx(sum(float(row["l1"]) for row in best) / 2)
    report = new_project.path("report.html").read_text()
    assert "3 quantiles of each hyperparameter, and the middle between the best two" in report
    assert "<td>triangular, most likely in the middle</td><td>0 to 0.01</td>" in report
    caption = new_project.json("figures/captions.json")["captions"]["duration"]
    assert caption.startswith("Error and duration of 4 configurations.")
    shown = report.partition("<h3>Duration</h3>")[2]
    assert shown.lstrip().startswith("<figure>")
    assert f"<figcaption>{caption}</figcaption>" in shown.partition("</figure>")[0]
    assert new_project.planned() == {}
    (tmp_path / "site" / "toys-1.0.dist-info").rename(tmp_path / "old")
    install(tmp_path / "site", "1.1")
    planned = new_project.planned()
    assert {"train", "table"} & planned.keys() == set()
    assert {"propose", "figures", "report"} <= planned.keys()
    new_project.configure(**{**configured(), "search": {"strategy": "spaced", "steps": 1}})
    refused = new_project.gamtune("check", new_project.config)
    assert (refused.code, "search.steps: got 1, expected greater than or equal to 2" in refused.output) == (2, True)

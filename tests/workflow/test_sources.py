"""Studies with text, missing values, groups and folds, of a regression, with selection on the test set, and of HAR."""

import json
import os

import numpy as np
import pandas as pd
import pytest
from project import write_mixed

from gamtune.analysis.comparable import ON_TEST_ROWS

pytestmark = pytest.mark.workflow

FOLDS = 2
DUPLICATES = "2 of 200 training samples have an exact duplicate in another fold (all with the same target)"
MIXED = {"data": {"source": "table", "path": "data/mixed.csv", "target": "kind", "group": "site",
                  "validation": {"folds": FOLDS}, "test": {"groups": 2}, "whiten": 0.999},
         "search__draws": 2, "training__label_smoothing": 0.01, "analysis": None, "training__batch_size": 16,
         "selection": {"rules": ["best_observed"], "confirm": {"top": 1, "replicates": 3},
                      "final": {"train_on": "train+validation", "replicates": 2}}}  # fmt: skip


@pytest.fixture
def mixed(new_project):
    """Return a finished study of the mixed table with folds of whole sites."""
    write_mixed(new_project.folder)
    new_project.configure(**MIXED)
    done = new_project.snakemake()
    assert done.code == 0, done.output
    assert f"warning: {DUPLICATES}" in done.output, "on the terminal, before the training"
    return new_project


def test_each_configuration_is_trained_once_per_fold_and_the_model_predicts_raw_samples(mixed):
    summary = pd.DataFrame(mixed.rows("summary.csv"))
    assert summary.groupby("name").size().tolist() == [FOLDS] * 2
    fingerprints = {mixed.json(f"data/fold_{fold}/dataset.json")["fingerprint"] for fold in (1, 2)}
    records = [mixed.json(f"trials/{trial}/record.json") for trial in summary["trial"]]
    assert {record["data"] for record in records} == fingerprints
    folds = [mixed.json(f"confirm/observed_1/{number}/record.json")["spec"]["fold"] for number in (1, 2, 3)]
    assert folds == [1, 2, 1]
    split = pd.DataFrame(mixed.rows("data/split.csv"))
    assert split.groupby("group")["part"].nunique().max() == 1

    assert {record["spec"]["label_smoothing"] for record in records} == {0.01}
    assert DUPLICATES in mixed.path("logs/data.txt").read_text()
    assert DUPLICATES in mixed.path("report.html").read_text()
    assert DUPLICATES in mixed.gamtune("show", "config/small.yaml").output
    assert "inputs (principal components with 0.999 of the variance)" in mixed.path("report.html").read_text()

    final = [mixed.json(f"final/optimum/{number}/record.json") for number in (1, 2)]
    assert {record["data"] for record in final} == {mixed.json("data/refit/dataset.json")["fingerprint"]}
    assert mixed.json("data/refit/dataset.json")["rows"]["train"] == (split["part"] != "test").sum()
    comparison = mixed.rows("optimum/comparison.csv")
    assert [(row["what"], row["part"], row["n"]) for row in comparison[-3:]] == [
        ("optimum", "train", "1"), ("optimum", "test", "1"), ("optimum (final seeds)", "test", "2")
    ]  # fmt: skip
    assert "The model of the first seed is exported." in mixed.path("report.html").read_text()

    rows = pd.read_csv(mixed.folder / "data/mixed.csv")
    rows[(split["part"] == "test").to_numpy()].drop(columns=["kind", "site"]).to_csv(
        mixed.folder / "new.csv", index=False
    )
    done = mixed.gamtune("predict", "results/small/optimum/model.keras", "new.csv")
    assert done.code == 0, done.output
    (mixed.folder / "predicted.csv").write_text(done.output)
    predicted = pd.read_csv(mixed.folder / "predicted.csv")
    exported = pd.DataFrame(mixed.rows("optimum/predictions.csv"))
    assert predicted["predicted"].tolist() == exported["predicted"].tolist()
    assert np.allclose(predicted["p_long"], exported["p_long"].astype(float), atol=1e-6)

    assert mixed.snakemake().nothing_done
    rows.loc[0, "length"] += 1
    rows.to_csv(mixed.folder / "data/mixed.csv", index=False)
    planned = mixed.planned()  # a changed file is read again, and the trials that depend on it are trained again
    assert planned["data"] == 1
    done = mixed.snakemake("--until", "summarise")
    assert done.code == 0, done.output
    again = {mixed.json(f"trials/{trial}/record.json")["data"] for trial in summary["trial"]}
    assert not again & fingerprints


def test_selection_on_the_test_set_is_stated_wherever_scores_are_shown(new_project):
    write_mixed(new_project.folder)
    new_project.configure(
        data={"source": "table", "path": "data/mixed.csv", "target": "yield", "drop": ["site", "kind"]},
        search__draws=6, analysis__gam="s(l1, k=3) + rho",
        selection={"on": "test", "confirm": {"top": 1, "replicates": 2}},
    )  # fmt: skip
    done = new_project.snakemake()
    assert done.code == 0, done.output
    info = new_project.json("data/dataset.json")
    assert (info["task"], info["selected_on"]) == ("regression", "test")
    assert info["rows"]["validation"] == info["rows"]["test"] == 48
    pages = ["report.html", "selection/selection.json", "gam/warnings.txt", "figures/captions.json"]
    for page in pages:
        assert ON_TEST_ROWS in new_project.path(page).read_text(), page
    figures = list(new_project.path("figures").glob("*.svg"))
    assert len(figures) >= 3
    for figure in figures:
        assert ON_TEST_ROWS in figure.read_text(), figure.name
    assert {row["selected_on"] for row in new_project.rows("summary.csv")} == {"test"}
    shown = new_project.gamtune("show", "config/small.yaml").output
    assert "(also used for the selection)" in shown
    comparison = new_project.rows("optimum/comparison.csv")
    seeds = {row["part"] for row in comparison if row["what"].startswith("selected candidate")}
    assert seeds == {"test (used for selection)"}
    test = next(row for row in comparison if (row["what"], row["part"]) == ("optimum", "test"))
    scored = json.loads(new_project.gamtune("metrics", str(new_project.path("optimum/predictions.csv"))).output)
    held, *_ = new_project.rows("optimum/tests.csv")
    assert (held["mcnemar_p"], held["n"]) == ("", "3")
    for metric in ("mse", "rmse", "mae", "r2"):
        assert float(test[metric]) == pytest.approx(scored[metric], rel=1e-9)
    assert not new_project.path("optimum/confusion_matrix.csv").exists()
    assert new_project.path("optimum/figures/predicted_against_actual.svg").exists()


@pytest.mark.tables
@pytest.mark.skipif(not os.environ.get("GAMTUNE_DATA"), reason="the variable GAMTUNE_DATA names no folder of data")
def test_har_is_downloaded_split_by_subject_and_trained_as_in_h2o(new_project):
    new_project.configure(
        data={"source": "har", "validation": {"groups": 5}}, training__network="h2o",
        search={"strategy": "random", "generator": "R-rounding", "seeds": [403, 10]}, analysis=None,
        space={"depth": {"integer": [1, 5]}, "l1": {"uniform": [0, 0.01]}, "neurons": {"integer": [20, 60], "per": "depth"}},
        selection={"rules": ["best_observed"], "confirm": {"top": 1, "replicates": 1}},
    )  # fmt: skip
    done = new_project.snakemake()
    assert done.code == 0, done.output
    assert done.jobs["fetch"] == 1
    assert set(new_project.json("data/source.json")["sha256"]) >= {"train/X_train.txt", "test/X_test.txt"}
    split = pd.DataFrame(new_project.rows("data/split.csv"))
    assert split.groupby("part")["group"].nunique().to_dict() == {"test": 9, "train": 16, "validation": 5}
    assert [row["name"] for row in new_project.rows("table.csv")] == ["m_403", "m_10"]
    test = next(
        row for row in new_project.rows("optimum/comparison.csv") if (row["what"], row["part"]) == ("optimum", "test")
    )
    assert float(test["accuracy"]) > 0.8
    assert new_project.snakemake().nothing_done

"""Real runs of studies with stages, and of studies whose config changes."""

import json
import re
import shutil

import pytest

from gamtune.spec import Spec

pytestmark = pytest.mark.workflow

ROUNDS = {"strategy": "tpe", "draws": 5, "seed": 1, "rounds": 1, "per_round": 2}
HALVING = {"strategy": "halving", "draws": 9, "seed": 1, "eta": 3, "rungs": 2}


def stored(project):
    return {path.name for path in (project.folder / "results" / "store").iterdir()}


def runs(project, until="all", **changes):
    project.configure(**changes)
    done = project.snakemake("--until", until)
    assert done.code == 0, done.output


def test_rounds_continue_a_random_search_without_training_again(finished):
    finished.configure(search=ROUNDS)
    planned = finished.planned()
    assert (planned["propose"], planned["train_slot"], "train" in planned) == (1, 2, False)
    before = stored(finished)
    runs(finished, "summarise", search=ROUNDS)
    first = finished.path("rounds/1/slots.csv").read_bytes()
    summary = finished.rows("summary.csv")
    assert [row["round"] for row in summary] == ["0"] * 5 + ["1"] * 2
    assert {row["status"] for row in summary} == {"ok"}
    assert len(stored(finished) - before) >= 2

    finished.configure(search=ROUNDS | {"rounds": 2})
    planned = finished.planned()
    assert (planned["propose"], planned["train_slot"], "train" in planned) == (1, 2, False)
    runs(finished, "summarise", search=ROUNDS | {"rounds": 2})
    assert finished.path("rounds/1/slots.csv").read_bytes() == first
    assert len({row["trial"] for row in finished.rows("summary.csv")}) == 9
    second, after = finished.path("rounds/2/slots.csv").read_bytes(), stored(finished)

    shutil.rmtree(finished.path("rounds"))  # the state after a run that was killed before these trials
    runs(finished, "summarise", search=ROUNDS | {"rounds": 2})
    assert finished.path("rounds/1/slots.csv").read_bytes() == first
    assert finished.path("rounds/2/slots.csv").read_bytes() == second
    assert stored(finished) == after
    synced = finished.gamtune("sync", finished.config).output  # the follower has already tracked most of the trials
    added, resumed, unchanged = map(int, re.findall(r"(\d+) [aru]\w+d,", synced))
    finals = sum("trial" in json.loads(path.read_text()) for path in finished.path("final").rglob("record.json"))
    assert added + resumed + unchanged == 9 + 4 + finals + 1, synced  # trials, confirmations, final trials, the study


def test_halving_continues_the_best_trials_and_keeps_only_the_model_of_the_optimum(new_project, tmp_path):
    training = {"epochs": 4, "batch_size": 128, "keep_models": "none"}
    runs(new_project, search=HALVING, training=training)
    summary = new_project.rows("summary.csv")
    assert [(row["rung"], row["epochs"]) for row in summary] == [("0", "2")] * 9 + [("1", "4")] * 3
    best = sorted(summary[:9], key=lambda row: float(row["validation_mse"]))[:3]
    assert [row["name"] for row in summary[9:]] == [row["name"] for row in best]
    assert "epoch 3/4" in new_project.path("rungs/1/1/log.txt").read_text()
    assert "epoch 1/4" not in new_project.path("rungs/1/1/log.txt").read_text()

    observed = next(row for row in new_project.rows("selection/candidates.csv") if row["candidate"] == "observed_1")
    assert Spec.from_json(observed["spec"]).epochs == 4
    model = new_project.path("gam/summary.txt").read_text()
    assert "n = 9\n" in model
    assert "only the configurations after 2 epochs (one rung) are compared" in model
    assert {path.parent.parent.name for path in new_project.path().rglob("model.keras")} == {
        "small",
        "optimum",
        "observed_1",
    }

    slot = new_project.path("rungs/1/1/record.json")
    continued = json.loads(slot.read_text())
    command = ["train", "--spec", json.dumps(continued["spec"]), "--data", str(new_project.path("data/dataset.json"))]
    command += ["--record", str(tmp_path / "at once" / "record.json"), "--store", str(tmp_path / "other store")]
    done = new_project.gamtune(*command)
    assert done.code == 0, done.output
    at_once = json.loads((tmp_path / "at once" / "record.json").read_text())
    assert at_once["metrics"] == continued["metrics"]
    slot = new_project.rows("rungs/1/slots.csv")[0]
    assert at_once["trial"] == continued["trial"] == Spec.from_json(slot["spec"]).trial


def test_a_renamed_study_and_a_wider_range_train_only_new_trials(finished):
    before = stored(finished)
    runs(finished, "summarise", study="renamed")
    assert stored(finished) == before
    runs(finished, "summarise", study="renamed", space__rho={"uniform": [0.9, 0.99]}, search__draws=7)
    new = stored(finished) - before
    assert len(new) == 7  # every configuration has another rho
    runs(finished, "summarise", study="renamed")
    assert stored(finished) == before | new


def test_prune_lists_and_then_removes_trials_that_no_config_requires(finished):
    everything = finished.gamtune("prune", finished.config)
    assert everything.code == 0, everything.output
    assert everything.output.startswith("0 not needed by any of these configs")
    finished.configure(search__draws=3, analysis__gam="l1")
    listed = finished.gamtune("prune", finished.config)
    dropped = [row["trial"] for row in finished.rows("table.csv")][3:]
    assert all(f"results/small/trials/{trial}" in listed.output for trial in dropped)
    assert "remove them with --yes" in listed.output
    assert all(finished.path(f"trials/{trial}/record.json").exists() for trial in dropped)
    held = len(stored(finished))
    done = finished.gamtune("prune", finished.config, "--yes")
    assert done.code == 0, done.output
    assert "2 runs of small deleted in MLflow" in done.output
    assert not any(finished.path(f"trials/{trial}").exists() for trial in dropped)
    assert len(stored(finished)) == held - 2
    assert finished.gamtune("prune", finished.config).output.startswith("0 not needed")
    finished.configure()
    assert finished.planned()["train"] == 2

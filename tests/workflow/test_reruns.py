"""Steps that Snakemake repeats after each kind of change, according to a dry run."""

import ast
import json
import os
import time

import pytest

TRAININGS = 5

pytestmark = pytest.mark.workflow

BELOW_SUMMARY = {
    "gam": 1, "figures": 1, "candidates": 1, "confirm": 4, "select": 1, "final": 4, "evaluate": 1, "optimum_figures": 1, "report": 1,
    "sync": 1, "all": 1,
}  # fmt: skip
BELOW_TRAINING = {"summarise": 1, **BELOW_SUMMARY}


def touch(path):
    """Make a file newer than all files that depend on it."""
    later = time.time() + 60
    os.utime(path, (later, later))


def reworded(source):
    """Return a source text with other docstrings, no comments and another format."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            node.body[0].value.value += " Reworded."
    return ast.unparse(tree) + "\n"


def test_running_again_without_changes_is_a_no_op(finished):
    assert finished.planned() == {}


def test_adding_five_draws_trains_five_trials(finished):
    finished.configure(search__draws=TRAININGS + 5)
    assert finished.planned() == {"table": 1, "train": 5, **BELOW_TRAINING}


def test_fewer_draws_train_nothing(finished):
    finished.configure(search__draws=TRAININGS - 1)
    planned = finished.planned()
    assert "train" not in planned
    assert planned == {"table": 1, **BELOW_TRAINING}


def test_another_spelling_of_a_number_runs_nothing(finished):
    finished.edit("config/small.yaml", "- 0.001", "- 1e-3")
    assert finished.planned() == {}


def test_a_library_that_is_reworded_reformatted_and_touched_runs_nothing(finished):
    finished.copy_code()
    for module in (finished.folder / "workflow" / "gamtune").rglob("*.py"):
        module.write_text(reworded(module.read_text()))
        touch(module)
    network = finished.folder / "workflow" / "gamtune" / "learners" / "mlp" / "network.py"
    assert "Reworded." in network.read_text()
    assert "# " not in network.read_text()
    assert finished.planned() == {}


def test_a_touched_data_file_of_any_size_runs_nothing(finished):
    touch(finished.folder / "data" / "digits.csv")
    touch(finished.path("data/dataset.json"))
    assert finished.planned() == {}


def test_a_changed_constant_of_the_training_loop_trains_everything(finished):
    finished.copy_code()
    finished.edit(
        "workflow/gamtune/learners/mlp/epoch_graph.py", "VALIDATED_AT_ONCE = 4096", "VALIDATED_AT_ONCE = 2048"
    )
    planned = finished.planned()
    assert planned["train"] == TRAININGS
    assert planned == {"train": TRAININGS, **BELOW_TRAINING}


def test_an_edited_figure_is_drawn_and_reported_again(finished):
    finished.copy_code()
    finished.edit("workflow/gamtune/figures/budget.py", "ORDERS = 1000", "ORDERS = 1001")
    assert finished.planned() == {"figures": 1, "report": 1, "sync": 1, "all": 1}
    finished.edit("workflow/gamtune/figures/theme.py", "BAND_ALPHA = 0.2", "BAND_ALPHA = 0.3")
    assert finished.planned() == {"figures": 1, "optimum_figures": 1, "report": 1, "sync": 1, "all": 1}


def test_another_formula_fits_the_gam_without_training(finished):
    finished.configure(analysis__gam="s(l1, k=3) + s(rho, k=3)")
    assert finished.planned() == BELOW_SUMMARY


def test_edited_data_are_prepared_and_trained_again(finished):
    file = finished.folder / "data" / "digits.csv"
    lines = file.read_text().splitlines()
    file.write_text("\n".join([lines[0], *lines[2:]]) + "\n")
    assert finished.planned() == {"data": 1, "train": TRAININGS, **BELOW_TRAINING}


def test_selecting_on_the_test_set_prepares_the_data_again_and_another_rule_does_not(finished):
    finished.configure(selection__on="test")
    assert finished.planned() == {"data": 1, "table": 1, "train": TRAININGS, **BELOW_TRAINING}
    finished.configure(selection__rules=["best_observed"])
    planned = finished.planned()
    assert planned["candidates"] == 1
    assert {"data", "table", "train", "summarise"} & set(planned) == set()


def test_a_reworded_description_of_a_key_runs_nothing(finished):
    finished.copy_code()
    finished.edit("workflow/gamtune/config/data_section.py", "Random seed of the split,", "Seed of the random split,")
    finished.edit("workflow/gamtune/config/settings.py", "Number of samples per training step.", "Samples per step.")
    assert finished.planned() == {}


def test_another_candidate_trains_only_its_confirmations(finished):
    finished.configure(selection={"rules": ["best_observed", "gam_optimum", "by_hand"],
                                 "by_hand": {"mine": {"neurons": [20]}}, "confirm": {"top": 1, "replicates": 2}, "final": {"replicates": 2}})  # fmt: skip
    done = finished.snakemake("--until", "final")
    assert done.code == 0, done.output
    assert "train" not in done.jobs
    assert done.jobs["confirm"] == 6
    trained = [path for path in (finished.folder / "results/store").iterdir() if path.name[0] != "."]
    final = {finished.json(f"{path.parent.relative_to(finished.path())}/record.json").get("trial")
             for path in finished.path("final").glob("*/*/log.txt")} - {None}  # fmt: skip
    stored = {json.loads((path / "record.json").read_text())["trial"] for path in trained}
    assert final <= stored
    assert len(trained) <= TRAININGS + 4 + 2 + 3 * 2  # three settings, for any selected candidate


def test_another_selection_rule_uses_the_stored_trials(finished):
    small = {
        "rules": ["best_observed", "gam_optimum"],
        "confirm": {"top": 1, "replicates": 2},
        "final": {"replicates": 2},
    }
    finished.configure(selection=small | {"choose": "one_standard_error"})
    planned = finished.planned()
    assert {"confirm", "train", "candidates"} & set(planned) == set()
    assert (planned["select"], planned["final"]) == (1, 4)
    assert finished.snakemake("--until", "final").code == 0
    first = sorted(path.name for path in (finished.folder / "results/store").iterdir())
    finished.configure(selection=small)
    assert finished.snakemake("--until", "final").code == 0
    finished.configure(selection=small | {"choose": "one_standard_error"})
    assert finished.snakemake("--until", "final").code == 0
    assert sorted(path.name for path in (finished.folder / "results/store").iterdir()) == first
    done = finished.gamtune("select", finished.config, "--study", "results/small")
    assert done.code == 0, done.output
    assert finished.json("selection/selection.json")["choose"] == "one_standard_error"


def test_a_moved_clone_runs_nothing(finished, tmp_path):
    finished.copy_code()
    finished.folder.rename(tmp_path / "moved project")
    finished.folder = finished.code = tmp_path / "moved project"
    assert finished.planned() == {}

"""From candidates to the selection, with simulated records and summaries."""

import csv
import json
import math
import re

import numpy as np
import pandas as pd
import pytest
from configs import CONFIG, changed
from made import dataset
from scipy import stats

from gamtune.analysis.comparable import ON_TEST_ROWS
from gamtune.cli.main import main
from gamtune.config.settings import make_spec
from gamtune.errors import InputError, StepError
from gamtune.results.csv_rows import Candidate
from gamtune.results.slots_file import read_slots
from gamtune.search.table import build_table, cells, table_columns
from gamtune.selection.candidates import write_candidates
from gamtune.selection.evaluate import confusion_csv
from gamtune.selection.finalists import finalists, write_final_slots
from gamtune.selection.select import select


def confirmed(folder, errors, selected_on="validation"):
    """Write the candidates of a study and the validation MSE of their confirmations, None for failed ones."""
    (folder / "selection").mkdir(parents=True)
    dataset(selected_on=selected_on, inputs=4).write(folder / "data/dataset.json")
    with (folder / "selection" / "candidates.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(Candidate.columns())
        for number, (name, values) in enumerate(errors.items(), start=1):
            spec = make_spec({"neurons": [number], "patience": 3}, 1).to_json() if values else ""
            reason = "" if values else "no configuration"
            writer.writerow(
                [name, "best_observed", f"configuration r{number}", 0.01 * number, "", "", "", reason, spec]
            )
            for replicate, error in enumerate(values or [], start=1):
                place = folder / "confirm" / name / str(replicate)
                place.mkdir(parents=True)
                metrics = {"validation": {"mse": error}}
                record = {"status": "ok", "metrics": metrics, "best_epoch": 10, "spec": {"weight_seed": replicate}}
                if error is None:
                    record = {"status": "failed", "reason": "diverged", "spec": {"weight_seed": replicate}}
                (place / "record.json").write_text(json.dumps(record))
    return folder


def made(folder, replicates=3, choose="lowest_mean"):
    select(folder, replicates, choose)
    return json.loads((folder / "selection" / "selection.json").read_text())


def test_the_lowest_mean_is_selected_and_differences_are_paired_by_seed(tmp_path):
    errors = {"observed_1": [0.05, 0.07, 0.06], "b": [0.03, 0.05, 0.05], "c": [0.09, 0.02, 0.04]}
    selection = made(confirmed(tmp_path, errors))
    assert selection["optimum"] == "b"
    assert selection["spec"]["neurons"] == [2]
    entries = {entry["candidate"]: entry for entry in selection["candidates"]}
    assert entries["b"]["difference"] is None
    for name in ("observed_1", "c"):
        differences = np.array(errors[name]) - errors["b"]
        low, high = stats.t.interval(0.95, 2, differences.mean(), stats.sem(differences))
        assert (entries[name]["difference"], entries[name]["low"], entries[name]["high"]) == pytest.approx(
            (differences.mean(), low, high)
        )
    assert (entries["b"]["mean_low"], entries["b"]["mean_high"]) == pytest.approx(
        stats.t.interval(0.95, 2, np.mean(errors["b"]), stats.sem(errors["b"]))
    )
    optimism = selection["optimism"]
    assert (optimism["row"], optimism["observed"]) == ("configuration r1", 0.01)
    assert (optimism["fresh_mean"], optimism["difference"]) == pytest.approx((0.06, 0.05))
    assert (
        0.04 <= optimism["low"] < 0.05 < optimism["high"] <= 0.06 + 1e-12
    )  # means of three values among 0.04, 0.05 and 0.06


def test_the_one_standard_error_rule_selects_the_smallest_network_within_one_standard_error(tmp_path):
    errors = {"a": [0.055, 0.06, 0.065], "b": [0.05, 0.06, 0.055], "c": [0.04, 0.05, 0.06]}  # sizes rise from a to c
    folder = confirmed(tmp_path, errors)
    assert made(folder)["optimum"] == "c"
    selection = made(folder, choose="one_standard_error")  # 0.05 + 0.0058: b is within, a is not
    assert (selection["optimum"], selection["choose"]) == ("b", "one_standard_error")
    assert selection["why"].startswith(
        "b (configuration r2) is the smallest network (16 weights) within one standard error"
    )
    assert [entry["weights"] for entry in selection["candidates"]] == [9, 16, 23]


def test_the_reason_states_how_many_differences_are_not_significant(tmp_path):
    selection = made(
        confirmed(tmp_path, {"a": [0.05, 0.051, 0.052], "b": [0.06, 0.061, 0.062], "c": [0.04, 0.08, 0.05]})
    )
    assert selection["why"].startswith(
        "a (configuration r1) has the lowest mean validation MSE over 3 fresh weight seeds: 0.051"
    )
    assert "1 of 2 differences from other candidates are not significant" in selection["why"]


def test_the_reason_states_that_the_test_set_was_used_for_the_selection(tmp_path):
    selection = made(confirmed(tmp_path, {"a": [0.05, 0.051], "b": [0.06, 0.061]}, "test"), replicates=2)
    assert selection["selected_on"] == "test"
    assert selection["why"].startswith("a (configuration r1) has the lowest mean test MSE over 2 fresh weight seeds")
    assert selection["why"].endswith(ON_TEST_ROWS)


def final_slots(study, folder):
    """Return the slots of the final trials by name, after a selection."""
    made(folder)
    write_final_slots(study, folder)
    return {slot.slot: slot for slot in read_slots(folder / "final" / "slots.csv")}


FINAL = {"rules": ["best_observed", "default"], "confirm": {"top": 1, "replicates": 3}, "final": {"replicates": 2}}


def test_final_trials_have_separate_seeds_and_use_the_folds_in_turn(make_study, tmp_path):
    study = make_study(training__seed=7, selection=FINAL, data__validation={"folds": 4})
    slots = final_slots(study, confirmed(tmp_path, {"observed_1": [0.05, 0.06, 0.07], "default": [0.03, 0.05, 0.05]}))
    trials = [slots[f"optimum/{number}"].spec for number in (1, 2)]
    assert [(spec.weight_seed, spec.fold) for spec in trials] == [(2_000_007, 4), (2_000_008, 1)]
    assert {(spec.patience, spec.neurons) for spec in trials} == {(3, (2,))}


def test_final_trials_on_all_samples_run_for_the_best_epochs_of_the_confirmations(make_study, tmp_path):
    selection = FINAL | {"final": {"replicates": 1, "train_on": "train+validation"}}
    study = make_study(training__seed=7, selection=selection, data__validation={"folds": 4})
    slots = final_slots(study, confirmed(tmp_path, {"observed_1": [0.05, 0.06, 0.07], "default": [0.03, 0.05, 0.05]}))
    spec = slots["optimum/1"].spec
    assert (spec.fold, spec.patience, spec.min_delta, spec.epochs, spec.neurons) == (None, None, None, 10, (2,))


def test_baselines_are_trained_on_the_seeds_of_the_optimum(make_study, tmp_path):
    selection = FINAL | {"rules": ["best_observed", "by_hand", "default"], "by_hand": {"mine": {"l1": 0.1}}}
    study = make_study(training__seed=7, selection=selection)
    errors = {
        "observed_1": [0.05, 0.06, 0.07], "by_hand_mine": [0.03, 0.05, 0.05], "default": [0.01, None, 0.01]
    }  # fmt: skip
    slots = final_slots(study, confirmed(tmp_path, errors))
    spec = slots["observed_1/2"].spec
    assert (spec.weight_seed, spec.neurons) == (2_000_008, (1,))
    empty = {name: slot.reason for name, slot in slots.items() if slot.spec is None}
    assert empty == {f"by_hand_mine/{number}": "it is the optimum" for number in (1, 2)} | {
        f"default/{number}": "1 of 3 confirmations failed: diverged" for number in (1, 2)
    }


def test_the_baselines_are_the_best_configuration_listed_ones_and_the_default(make_study):
    study = make_study(selection={"rules": ["best_observed", "gam_optimum", "by_hand", "default"],
                                 "by_hand": {"mine": {"l1": 0.1}}})  # fmt: skip
    assert finalists(study.selection) == ["optimum", "observed_1", "by_hand_mine", "default"]
    assert finalists(make_study(selection__rules=["gam_optimum"]).selection) == ["optimum"]


def test_empty_slots_and_failed_confirmations_are_skipped_with_their_reason(tmp_path):
    selection = made(confirmed(tmp_path, {"a": None, "b": [0.03, None, 0.03], "c": [0.05, 0.06, 0.05]}))
    assert selection["optimum"] == "c"
    skipped = [entry["skipped"] for entry in selection["candidates"]]
    assert skipped == ["no configuration", "1 of 3 confirmations failed: diverged", None]


def test_without_confirmed_candidates_there_is_an_error_and_no_selection(tmp_path, capsys):
    confirmed(tmp_path, {"a": None, "b": [None]})
    config = tmp_path / "config.json"
    config.write_text(json.dumps(changed(CONFIG, {"selection": {"confirm": {"replicates": 1}}})))
    assert main(["select", str(config), "--study", str(tmp_path)]) == 1
    stderr = capsys.readouterr().err
    assert (
        stderr
        == "gamtune select: no candidate could be confirmed: a: no configuration; b: 1 of 1 confirmations failed: diverged\n"
    )
    assert not (tmp_path / "selection" / "selection.json").exists()


def test_one_replicate_gives_a_difference_without_interval(tmp_path):
    selection = made(confirmed(tmp_path, {"a": [0.05], "b": [0.03]}), replicates=1)
    entry = selection["candidates"][0]
    assert entry["difference"] == pytest.approx(0.02)
    assert (entry["low"], entry["sd"]) == (None, None)


def summary(study, errors):
    """Return a summary in which trial i has the i-th error, or failed if it is NaN."""
    lines = []
    for trial, error in zip(build_table(study), errors, strict=True):
        values = cells(trial.spec, table_columns(study))
        status = "failed" if math.isnan(error) else "ok"
        lines.append(
            {
                "trial": trial.spec.trial,
                "configuration": trial.configuration,
                "name": trial.name,
                **values,
                "status": status,
                "validation_mse": error,
            }
        )
    return pd.DataFrame(lines)


def candidates_of(study, errors, tmp_path):
    summary(study, errors).to_csv(tmp_path / "summary.csv", index=False)
    dataset(inputs=64, classes=list(range(10))).write(tmp_path / "data/dataset.json")
    write_candidates(study, tmp_path / "summary.csv", tmp_path / "candidates.csv")
    return Candidate.by_name(tmp_path / "candidates.csv")


def test_the_best_configurations_are_candidates_in_order_without_failed_ones(make_study, tmp_path):
    study = make_study(search__draws=6)
    errors = [0.5, math.nan, 0.2, 0.4, 0.1, 0.3]
    proposed = candidates_of(study, errors, tmp_path)
    trials = build_table(study)
    for rank, index in enumerate([4, 2, 5, 3, 0], start=1):
        candidate = proposed[f"observed_{rank}"]
        assert (candidate.source, candidate.observed) == (f"configuration {trials[index].name}", errors[index])
        assert candidate.spec == trials[index].spec
    assert proposed["gam_optimum"].spec is None
    assert proposed["gam_optimum"].reason == "the config has no formula (analysis.gam)"


def test_slots_stay_empty_if_fewer_configurations_finished(make_study, tmp_path):
    proposed = candidates_of(make_study(search__draws=3), [0.5, math.nan, 0.2], tmp_path)
    assert [c.spec is not None for c in proposed.values()] == [True, True, False, False, False, False, True]
    assert proposed["observed_3"].reason == "only 2 configurations finished"


def test_replicates_of_a_configuration_are_one_candidate_ranked_by_their_mean(make_study, tmp_path):
    study = make_study(search__draws=2, search__replicates=2)
    proposed = candidates_of(
        study, [0.1, 0.5, 0.2, 0.3], tmp_path
    )  # the best replicate is one of the worse configuration
    assert [proposed[f"observed_{rank}"].observed for rank in (1, 2)] == pytest.approx([0.25, 0.3])
    assert proposed["observed_1"].source == "configuration random_002, mean of 2 trials"
    assert proposed["observed_3"].spec is None


def test_a_listed_candidate_that_equals_another_is_not_trained_twice(make_study, tmp_path):
    study = make_study(search={"strategy": "manual", "rows": [{"l1": 0.1}, {"l1": 0.2}]}, space=None,
                       selection={"rules": ["best_observed", "by_hand"], "by_hand": {"same": {"l1": 0.1}, "other": {"l1": 0.3}}})  # fmt: skip
    proposed = candidates_of(study, [0.1, 0.2], tmp_path)
    assert proposed["by_hand_same"].reason == "the same configuration as observed_1"
    assert proposed["by_hand_other"].spec.l1 == 0.3


def test_the_source_of_a_listed_candidate_and_its_distance_from_the_search_are_reported(make_study, tmp_path):
    choice = {"l1": 0.5, "who": "Ada", "figures": ["gam_l1", "gam_rho"]}
    study = make_study(search__draws=8, selection={"rules": ["by_hand"], "by_hand": {"mine": choice}})
    proposed = candidates_of(study, [0.1 * n for n in range(1, 9)], tmp_path)["by_hand_mine"]
    assert (proposed.source, proposed.spec.l1) == ("by hand, Ada, from gam_l1, gam_rho", 0.5)
    lines = pd.read_csv(tmp_path / "selection" / "support.csv").set_index("parameter")
    assert lines.warning["l1"].startswith("l1 0.5 is above the range tried (")
    assert lines["quantile"]["l1"] == 1
    assert proposed.nearest > proposed.usual > 0


@pytest.mark.parametrize(
    ("note", "line"),
    [({"who": 3}, "by_hand.mine.who: got 3, expected a name"),
     ({"figures": "gam_l1"}, "by_hand.mine.figures: got 'gam_l1', expected a list of names of figures")],
)  # fmt: skip
def test_notes_of_a_listed_candidate_are_checked(make_study, note, line):
    with pytest.raises(InputError, match=re.escape(line)):
        make_study(selection={"rules": ["by_hand"], "by_hand": {"mine": {"l1": 0.1, **note}}})


def test_the_smallest_network_within_one_standard_error_of_the_best_is_a_candidate(make_study, tmp_path):
    study = make_study(search={"strategy": "manual", "replicates": 3, "rows": [
        {"name": "large", "neurons": [30]}, {"name": "small", "neurons": [10]}, {"name": "poor", "neurons": [2]}]},
        space=None, selection={"rules": ["one_standard_error"]})  # fmt: skip
    proposed = candidates_of(study, [0.1, 0.2, 0.3, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6], tmp_path)["one_standard_error"]
    assert proposed.spec.neurons == (10,)
    assert proposed.source == (
        "configuration small, mean of 3 trials, the smallest within one standard error (0.058, of its 3 trials)"
        " of configuration large, mean of 3 trials"
    )


def test_the_standard_error_of_single_trials_is_that_of_the_residuals_of_the_model(make_study, tmp_path):
    rules = {"rules": ["one_standard_error"]}
    errors = [0.1 + 0.01 * number for number in range(20)]
    proposed = candidates_of(make_study(search__draws=20, selection=rules, analysis__gam="l1"), errors, tmp_path)
    assert "residual of the additive model" in proposed["one_standard_error"].source
    proposed = candidates_of(make_study(search__draws=20, selection=rules), errors, tmp_path)
    assert proposed["one_standard_error"].reason.startswith(
        "there is no standard error: each configuration has one trial"
    )


def test_a_study_without_finished_configurations_is_reported_in_one_line(make_study, tmp_path):
    with pytest.raises(StepError, match="none of the 2 configurations finished"):
        candidates_of(make_study(search__draws=2), [math.nan, math.nan], tmp_path)


def test_all_candidates_are_confirmed_on_the_same_fresh_seeds(make_study, tmp_path):
    study = make_study(search__draws=6, selection__confirm={"top": 3, "replicates": 2})
    candidates_of(study, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], tmp_path)
    slots = [slot for slot in read_slots(tmp_path / "confirm" / "slots.csv") if slot.name.startswith("observed")]
    assert [slot.slot for slot in slots] == [f"observed_{rank}/{number}" for rank in (1, 2, 3) for number in (1, 2)]
    assert [slot.spec.weight_seed for slot in slots] == [1_000_001, 1_000_002] * 3


def test_the_confusion_matrix_has_the_layout_of_h2o():
    text = confusion_csv(np.array([[2, 1, 0], [0, 3, 0], [0, 0, 0]]), ["a", "b", "c"])
    assert text.splitlines() == [
        "actual,a,b,c,error,rate",
        "a,2,1,0,0.3333333333333333,1 / 3",
        "b,0,3,0,0.0,0 / 3",
        "c,0,0,0,0.0,0 / 0",
        "Totals,2,4,0,0.16666666666666666,1 / 6",
    ]

"""The report: complete, self-contained, and explicit about what is missing."""

import csv
import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made import dataset
from matplotlib.figure import Figure

from gamtune.files import write_text
from gamtune.report.findings import (
    describe_optimism,
    describe_reliability,
    describe_search_results,
    describe_test_scores,
    interval_strips,
    most_frequent_confusion,
)
from gamtune.report.report import write_report
from gamtune.results.artefacts import artefact_text
from gamtune.results.captions import Captions
from gamtune.results.comparison import Comparison, Score
from gamtune.results.csv_rows import ColumnUse, FinalistTest, GamModel, GamTerm
from gamtune.results.data_warnings import DataWarning, DataWarnings
from gamtune.results.selection import Selection

CONFIG = {
    "study": "toy",
    "data": {"source": "digits", "whiten": None},
    "search": {"strategy": "random", "draws": 6, "seed": 2026},
    "space": {"neurons": {"integer": [20, 600], "per": "depth"}, "l1": {"uniform": [0, 0.01]}},
}


def candidate(name, mean, difference=None, half=None, skipped=None):
    low, high = (None, None) if half is None else (difference - half, difference + half)
    return {
        "candidate": name, "rule": "best_observed", "source": f"configuration {name}", "observed": 0.04, "predicted": None,
        "replicates": [], "mean": mean, "mean_low": None if skipped else mean - 0.007, "mean_high": None if skipped else
        mean + 0.007, "epochs": 12, "weights": 9000, "sd": None if skipped else 0.003, "n": 0 if skipped else 3,
        "difference": difference, "low": low, "high": high, "skipped": skipped,
    }  # fmt: skip


SELECTION = {
    "optimum": "observed_2",
    "choose": "lowest_mean",
    "selected_on": "validation",
    "why": "observed_2 has the lowest mean.",
    "weight_seeds": [11, 12, 13],
    "spec": {"neurons": [300, 200], "l1": 0.0031, "activation": "relu"},
    "candidates": [
        candidate("observed_1", 0.052, 0.004, 0.006),
        candidate("observed_2", 0.048),
        candidate("gam_optimum", None, skipped="3 of 3 confirmations failed: <diverged>"),
    ],
    "optimism": {
        "row": "configuration observed_1",
        "observed": 0.04,
        "fresh_mean": 0.052,
        "difference": 0.012,
        "low": 0.01,
        "high": 0.014,
    },
}


CANDIDATES = """candidate,rule,source,observed,predicted,nearest,usual,reason,spec
observed_1,best_observed,configuration r1,0.04,,0,0.21,,
observed_2,best_observed,configuration r2,0.04,,0.35,0.21,,
gam_optimum,gam_optimum,GAM,,,,,no formula,
"""
SUPPORT = """candidate,parameter,value,low,high,quantile,warning
observed_1,l1,0.002,0,0.01,0.4,
observed_2,l1,0.02,0,0.01,1.0,l1 0.02 is above the range tried (0 to 0.01)
observed_2,activation,relu,,,,
"""
TESTS = """against,n,difference,low,high,p,only_optimum_right,only_other_right,mcnemar_p
observed_1,3,0.004,-0.001,0.009,0.0813,9,2,0.0654
"""


TERM = GamTerm(
    "s(l1)", 1.87, 16.2, 0.001, 0.007, 0.41, null_low=0.0, null_high=0.06, ref_df=2.0, F_wood=9.0, p_wood=0.01,
    concurvity_worst=0.31, concurvity_observed=0.2, k_index=1.02, k_p=0.5,
)  # fmt: skip
MODEL = GamModel(
    "REML", 1.0, scale=0.04, edf_total=2.87, deviance_explained=0.721, r_sq_adj=0.7, n=5, coefficients=3, p=0.005,
    null_edf=2.2, null_deviance_explained=0.2, null_high=0.4,
)  # fmt: skip


@pytest.fixture
def study(tmp_path):
    """Return the folder of a finished study without a GAM."""
    for name in ("data", "figures", "gam", "selection", "optimum", "optimum/figures"):
        (tmp_path / name).mkdir()
    (tmp_path / "optimum" / "figures" / "captions.json").write_text('{"captions": {}, "sections": {}}')
    summary = pd.DataFrame(
        {
            "trial": list("abcdef"),
            "name": [f"random_{i}" for i in range(1, 7)],
            "replicate": 1,
            "neurons": ["300 200"] * 6,
            "l1": np.linspace(0, 0.01, 6),
            "sum_neurons": 500,
            "status": ["ok"] * 5 + ["failed"],
            "reason": [None] * 5 + ["loss <NaN> in epoch 2"],
            "seconds": 10.0,
            "epochs_run": 20,
            "train_mse": [0.01] * 5 + [None],
            "validation_mse": [0.07, 0.04, 0.06, 0.05, 0.08, None],
            "validation_accuracy": [0.9] * 5 + [None],
        }
    )
    summary.to_csv(tmp_path / "summary.csv", index=False)
    summary.iloc[:, :6].to_csv(tmp_path / "table.csv", index=False)
    dataset().write(tmp_path / "data" / "dataset.json")
    warning = DataWarning("single_column", "column 'a<b' alone predicts 'y'")
    DataWarnings(warnings=[warning]).write(tmp_path / "data" / "warnings.json")
    columns = [
        ColumnUse("a<b", "number", "input", 3, 40, "1.5"),
        ColumnUse("y", "category", "target (classes)", 0, 2, "=1"),
    ]
    ColumnUse.write(columns, tmp_path / "data" / "columns.csv")
    add_figures(tmp_path, mse_by_parameter="found")
    (tmp_path / "gam" / "skipped.txt").write_text("19 coefficients for 5 configurations\n")
    (tmp_path / "selection" / "selection.json").write_text(json.dumps(SELECTION))
    record = {"status": "ok", "metrics": {}, "trial": "0123456789ab", "seconds": 21.3, "versions": {"keras": "3.15.1"}}
    (tmp_path / "selection" / "candidates.csv").write_text(CANDIDATES)
    (tmp_path / "selection" / "support.csv").write_text(SUPPORT)
    (tmp_path / "optimum" / "tests.csv").write_text(TESTS)
    (tmp_path / "optimum" / "record.json").write_text(json.dumps(record))
    metrics = {"rmse": 0.2, "r2": 0.9, "logloss": 0.2, "mean_per_class_error": 0.08}
    scores = [
        Score("best configuration (search)", "validation", 1, {"mse": 0.04, "accuracy": 0.9, **metrics}),
        Score("optimum", "test", 1, {"mse": 0.04552, "accuracy": 0.92, **metrics}),
    ]
    Comparison(scores, tmp_path / "optimum" / "comparison.csv").write(["mse", "accuracy", *metrics])
    with (tmp_path / "optimum" / "confusion_matrix.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [["actual", 0, 1, "error", "rate"], [0, 23, 3, 3 / 26, "3 / 26"], [1, 1, 23, 1 / 24, "1 / 24"],
             ["Totals", 24, 26, 0.08, "4 / 50"]]
        )  # fmt: skip
    return tmp_path


def add_figures(study, **sections):
    """Write the files of step `figures`, given the section of each figure."""
    for stem in sections:
        Figure(figsize=(1, 1)).savefig(study / "figures" / f"{stem}.png")
    captions = {stem: f"caption of {stem}" for stem in sections}
    Captions(captions=captions, sections=sections).write(study / "figures" / "captions.json")


def page_of(study) -> str:
    write_report(study, CONFIG, study / "report.html")
    return (study / "report.html").read_text(encoding="utf-8")


def add_model(study):
    """Write the files of the steps `gam` and `figures` for a study with a GAM."""
    (study / "gam" / "skipped.txt").unlink()
    GamTerm.write([TERM], study / "gam" / "terms.csv")
    GamModel.write([MODEL], study / "gam" / "model.csv")
    (study / "gam" / "summary.txt").write_text("Family: gaussian\n")
    add_figures(
        study, mse_by_parameter="found", gam_effects="effects", gam_l1="single_effects", gam_surface_a_b="effects"
    )


def test_the_report_loads_no_external_resources(study):
    add_model(study)
    page = page_of(study)
    assert not re.findall(r"""(?:src|href)=["'](?!data:|#)""", page)
    assert not re.findall(r"https?://|url\(|@import|<script|<link", page)
    assert page.count('src="data:image/png;base64,') == 4


def test_the_summary_shows_the_selection_and_the_test_scores(study):
    answer = page_of(study).split('id="search"')[0]
    assert "Optimum on the test set: MSE 0.0455, accuracy 92.0" in answer
    assert "observed_2 has the lowest mean." in answer
    assert "<span>neurons</span> 300 200" in answer


def test_the_report_gives_the_reason_for_a_skipped_model(study):
    assert "No model of the error was fitted: 19 coefficients for 5 configurations" in page_of(study)


def test_a_model_is_shown_with_its_terms_and_captions(study):
    add_model(study)
    page = page_of(study)
    assert re.search(r"<td>s\(l1\)</td>.*1\.87.*16\.20.*≤\xa00\.001.*0\.007.*41\.0.*6\.0", page)
    assert re.search(r"For pure noise, the same model explains 20\.0", page)
    for stem in ("gam_effects", "gam_l1", "gam_surface_a_b"):
        assert f"<figcaption>caption of {stem}</figcaption>" in page
    assert "No model of the error" not in page


def test_every_figure_is_shown_in_its_section_and_those_of_unknown_sections_at_the_end(study):
    page = page_of(study)
    assert "Other figures" not in page
    sections = dict(
        zip("abcdefg", ["found", "search", "effects", "single_effects", "importance", "optimum", "other"], strict=True)
    )
    add_figures(study, **sections, h="Cost & time")
    page = page_of(study)
    places = [page.index(f"<figcaption>caption of {stem}</figcaption>") for stem in "abcdefgh"]
    assert places == sorted(places)
    headings = ["results", "results", "effects", "effects", "effects", "optimum", "other", "other"]
    assert [re.findall(r'<h2 id="(\w+)">', page[:place])[-1] for place in places] == headings
    assert page[: places[-1]].rstrip().rpartition("<h3>")[2].startswith("Cost &amp; time</h3>")


def test_failed_trials_and_candidates_are_listed_with_their_reasons_escaped(study):
    page = page_of(study)
    assert "5 of 6 trials finished, 1 failed" in page
    assert "loss &lt;NaN&gt; in epoch 2" in page
    assert "not compared: 3 of 3 confirmations failed: &lt;diverged&gt;" in page


def test_names_of_classes_are_shown_as_they_are(study):
    names = ["<script>alert(1)</script>", "$$ & {{ 7 * 7 }}"]
    lines = [["actual", *names, "error", "rate"], [names[0], 20, 5, 0.2, "5 / 25"], [names[1], 1, 24, 0.04, "1 / 25"],
             ["Totals", 21, 29, 0.12, "6 / 50"]]  # fmt: skip
    write_text(study / "optimum" / "confusion_matrix.csv", artefact_text(lines[0], lines[1:]))
    page = page_of(study)
    first, second = "&lt;script&gt;alert(1)&lt;/script&gt;", "$$ &amp; {{ 7 * 7 }}"
    assert f"Most frequent confusion: {first} predicted as {second}, 5 times." in page
    assert "<script>alert" not in page


def test_the_page_does_not_mention_failures_if_there_are_none(study):
    summary = pd.read_csv(study / "summary.csv")
    summary[summary["status"] == "ok"].to_csv(study / "summary.csv", index=False)
    page = page_of(study)
    assert "5 of 5 trials finished." in page
    assert "Failed trials" not in page


def test_the_best_configurations_come_first(study):
    best = re.findall(r'<td class="name">(random_\d)', page_of(study))
    assert best == ["random_2", "random_4", "random_3", "random_1", "random_5"]


def test_the_page_can_be_made_with_a_single_seed_and_without_confirmed_configurations(study):
    single = [
        entry | {"sd": None, "low": None, "high": None, "n": min(entry["n"], 1)} for entry in SELECTION["candidates"]
    ]
    changed = SELECTION | {"candidates": single, "weight_seeds": [11], "optimism": None}
    (study / "selection" / "selection.json").write_text(json.dumps(changed))
    page = page_of(study)
    assert "A single seed gives no interval" in page
    assert "Bias of the search" not in page


def test_a_prediction_below_zero_is_explained(study):
    assert "predicts an MSE below 0" not in page_of(study)
    candidates = [SELECTION["candidates"][0] | {"predicted": -0.6}, *SELECTION["candidates"][1:]]
    (study / "selection" / "selection.json").write_text(json.dumps(SELECTION | {"candidates": candidates}))
    assert "predicts an MSE below 0" in page_of(study)


def test_the_report_is_reproducible(study):
    assert page_of(study) == page_of(study)


def selection(**changes):
    return Selection.model_validate(SELECTION | changes)


TEST = {"mse": 0.045, "accuracy": 0.92, "r2": 0.9}


def test_a_difference_whose_interval_includes_zero_is_not_significant():
    assert "the difference is not significant" in describe_reliability(selection(), [])[0]
    clear = {"candidates": [candidate("observed_1", 0.052, 0.004, 0.003), SELECTION["candidates"][1]]}
    assert "the optimum is significantly better" in describe_reliability(selection(**clear), [])[0]


def test_the_page_states_whether_the_test_samples_were_used_for_the_selection():
    assert (
        "The 50 test samples were scored once, after the selection: 46 predictions are correct"
        in describe_test_scores(selection(), TEST, 50, None, [])[-1]
    )
    chosen_on = describe_test_scores(selection(selected_on="test"), TEST, 50, None, [])
    assert "The 50 test samples were also used for early stopping and model selection" in chosen_on[-1]


def test_a_regression_is_described_by_r2_and_absolute_error():
    sentence = describe_test_scores(selection(), {"mse": 0.04, "mae": 0.1, "r2": 0.87}, 50, None, [])[-1]
    assert sentence.endswith("the selection: R² 0.870, mean absolute error 0.100.")


def test_the_mean_test_error_over_the_final_seeds_is_reported():
    sentence = describe_test_scores(
        selection(), TEST, 50, Score("optimum (final seeds)", "test", 3, {"mse": 0.0471, "mse_sd": 0.0021}), []
    )[-1]
    assert (
        "over 3 weight seeds that were not used for the selection is 0.0471 (RMSE 0.217), with standard deviation 0.0021"
        in sentence
    )


def test_the_bias_of_the_search_is_reported_with_its_significance():
    assert (
        "is 0.0400 in the search and 0.0520 on fresh seeds (difference +0.012, 95 % bootstrap interval"
        in describe_optimism(selection().optimism)[0]
    )
    assert (
        "no optimistic bias was found"
        in describe_optimism(selection().optimism.model_copy(update={"difference": -0.001}))[0]
    )


def test_a_smaller_network_that_is_selected_although_it_is_worse_is_described_as_such():
    entries = [candidate("observed_1", 0.042, -0.006, 0.004), SELECTION["candidates"][1]]
    sentence = describe_reliability(selection(candidates=entries), [])[0]
    assert "the optimum is significantly worse, but smaller (9000 weights instead of 9000)" in sentence


def test_the_optimum_is_compared_with_its_references_and_with_the_range_of_the_search(study):
    page = page_of(study)
    assert "the candidate observed_1 has a higher mean MSE than the optimum (difference +0.004, " in page
    assert "only the former is correct for 9 samples, only the latter for 2 (McNemar&#39;s test, p = 0.065)" in page
    answer = page.split('id="search"')[0]
    assert "The optimum is outside the range of the search: l1 0.02 is above the range tried (0 to 0.01)." in answer
    section = page.split('id="selection"')[1]
    assert (
        "<strong>observed_1</strong>: every hyperparameter is within the range tried; this configuration was tried"
        in section
    )
    assert "nearest configuration tried is 0.35 (median distance between neighbours in the search: 0.21)" in section


def test_the_summary_has_search_findings_optimum_reliability_and_test_set_in_this_order(study):
    add_model(study)
    answer = page_of(study).split('id="search"')[0]
    places = [answer.index(f"<dt>{word}</dt>") for word in ("Search", "Findings", "Optimum", "Reliability", "Test set")]
    assert places == sorted(places)
    assert "random_2, has a validation MSE of 0.0400. The median over all configurations is 0.0600." in answer
    assert "Significant effects, with their shares of the deviance: l1 (41.0" in answer


def test_the_findings_state_if_no_effect_is_significant():
    model = replace(MODEL, deviance_explained=0.4, null_deviance_explained=0.35)
    best = {"name": "a", "validation_mse": 0.04}
    sentence = describe_search_results(best, 0.06, [replace(TERM, p_adjusted=0.2)], model)
    assert sentence[1].startswith(
        "No effect of a hyperparameter is significant. The generalised additive model (GAM) explains 40.0"
    )
    assert len(describe_search_results(best, 0.06, [], None)) == 1


def test_importance_is_shown_with_noise_levels_and_ranks(study):
    add_model(study)
    assert "Importance of the hyperparameters" not in page_of(study)
    (study / "gam" / "importance.csv").write_text(
        "measure,name,importance,low,high,null_high,rank,rank_low,rank_high,first\n"
        "ped_anova,l1,0.7,0.2,0.9,0.4,1,1,2,0.81\n"
    )
    assert re.search(r"PED-ANOVA</td><td>l1</td>.*0\.700.*0\.200 to 0\.900.*0\.400.*1 to 2.*81\.0", page_of(study))


def test_a_regression_has_no_mcnemar(study):
    tested = FinalistTest("default", 1, 0.01, *[None] * 6)
    sentence = describe_test_scores(selection(), {"mse": 0.04, "mae": 0.1, "r2": 0.87}, 50, None, [tested])[-1]
    assert sentence == "On the test set, the candidate default has a higher MSE than the optimum (difference +0.01)."


def test_intervals_lie_on_one_axis_with_zero():
    strips, zero = interval_strips(selection().candidates)
    assert list(strips) == ["observed_1"]
    strip = strips["observed_1"]
    assert strip.left < zero < strip.dot < strip.left + strip.width <= 100


def test_the_most_frequent_confusion_is_reported():
    header = ["actual", "cat", "dog", "error", "rate"]
    rows = [["cat", "5", "3", "", ""], ["dog", "1", "9", "", ""], ["Totals", "6", "12", "", ""]]
    assert most_frequent_confusion(header, rows) == "Most frequent confusion: cat predicted as dog, 3 times."


def test_the_report_shows_how_each_column_was_interpreted(study):
    text = page_of(study)
    assert "How the 2 columns of the data were interpreted" in text
    assert "<tr><td>a&lt;b</td><td>number</td><td>input</td><td>3</td><td>40</td><td>1.5</td></tr>" in text
    assert "<td>target (classes)</td><td>0</td><td>2</td><td>=1</td></tr>" in text


def test_warnings_about_the_data_come_first(study):
    answer = page_of(study).partition('<section class="answer"')[2].partition("<dl>")[0]
    assert "column &#39;a&lt;b&#39; alone predicts &#39;y&#39;" in answer

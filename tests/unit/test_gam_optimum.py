"""The optimum of the GAM inside the observed range."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_selection import candidates_of, summary

from gamtune.gam.model import fit_gam
from gamtune.search.table import build_table
from gamtune.selection.gam_optimum import gam_optimum, split_evenly


@pytest.mark.parametrize("response", ["validation_mse", "log(validation_mse)"])
def test_the_lowest_point_of_a_known_surface_is_found_inside_the_observed_range(make_study, response):
    study = make_study(search__draws=150, space__rho={"uniform": [0.9, 0.999]}, space__l1={"uniform": [0, 0.001]})
    rows = summary(study, [0.0] * 150)
    shape = 1 + 1e6 * (rows["l1"] - 0.0004) ** 2 + 20 * (rows["rho"] - 0.9) + 2e-4 * (rows["sum_neurons"] - 40) ** 2
    rows["validation_mse"] = shape / 10 if response == "validation_mse" else np.exp(shape)
    rows = rows.sort_values("validation_mse").reset_index(drop=True)
    fitted = fit_gam("s(l1, k=6) + s(rho, k=4) + te(depth, sum_neurons, k=3)", rows, response, "REML")
    best = next(row.spec for row in build_table(study) if row.spec.trial == rows["trial"][0])
    settings, predicted = gam_optimum(fitted, best)
    assert settings["l1"] == pytest.approx(0.0004, abs=0.00005)
    assert settings["rho"] == rows["rho"].min()  # the edge of the observed range, not of the space
    assert sum(settings["neurons"]) == pytest.approx(40, abs=12)
    assert predicted <= rows["validation_mse"].min() * 1.1
    assert settings["activation"] == best.activation
    assert len(settings["neurons"]) == len(settings["hidden_dropout"])


@pytest.mark.parametrize(
    "formula",
    ["s(log(l1), k=8) + rho", "s(log10(l1), k=8) + s(l1, k=4) + rho", "te(log(l1), rho, k=5)", "s(rho, k=3) + s(log(l1), k=8)"
     " + ti(log(l1), rho, k=3)"],
)  # fmt: skip
def test_the_lowest_point_of_a_logarithm_is_searched_on_the_logarithmic_scale(make_study, formula):
    study = make_study(search__draws=150, space={"l1": {"log_uniform": [1e-8, 1e-1]}, "rho": {"uniform": [0.9, 0.999]}})
    rows = summary(study, [0.0] * 150)
    rows["validation_mse"] = 1 + (np.log10(rows["l1"]) + 6) ** 2 / 10 + rows["rho"]
    fitted = fit_gam(formula, rows, "validation_mse", "REML")
    settings, predicted = gam_optimum(fitted, build_table(study)[0].spec)
    assert np.log10(settings["l1"]) == pytest.approx(-6, abs=0.3)  # 200 even steps of l1 itself would begin at 1e-4
    assert settings["rho"] == pytest.approx(rows["rho"].min(), abs=0.01)
    assert predicted == pytest.approx(1 + rows["rho"].min(), abs=0.05)


def test_the_optimum_has_a_width_inside_the_observed_range(make_study):
    study = make_study(search__draws=60)
    rows = summary(study, [0.0] * 60)
    rows["validation_mse"] = 1 / rows["sum_neurons"] + 0.001 * rows["depth"]  # wider networks are better
    fitted = fit_gam("te(depth, sum_neurons, k=3)", rows, "validation_mse", "REML")
    settings, _ = gam_optimum(fitted, build_table(study)[0].spec)
    assert max(settings["neurons"]) <= 32


def test_separate_terms_of_depth_and_width_give_a_width_that_was_tried(make_study):
    study = make_study(search__draws=60)
    rows = summary(study, [0.0] * 60)
    rows["validation_mse"] = (
        0.1 * rows["depth"] - 0.001 * rows["sum_neurons"] + 1
    )  # the optimum is shallow and as wide as possible
    fitted = fit_gam("s(depth, k=3) + s(sum_neurons, k=3)", rows, "validation_mse", "REML")
    deepest = max((row.spec for row in build_table(study)), key=lambda spec: spec.depth)
    settings, _ = gam_optimum(fitted, deepest)
    assert max(settings["neurons"]) <= 32


def test_the_optimum_is_found_with_conditional_hyperparameters(make_study):
    space = {"optimizer": ["adadelta", "sgd"], "rho": {"uniform": [0.9, 0.99], "when": {"optimizer": "adadelta"}},
             "l1": {"uniform": [0, 1]}}  # fmt: skip
    study = make_study(search__draws=60, space=space)
    rows = summary(study, [0.0] * 60)
    rows["validation_mse"] = 1 + (rows["l1"] - 0.6) ** 2
    rows.loc[rows["optimizer"] == "sgd", "validation_mse"] = 0.5
    fitted = fit_gam("s(l1, k=5) + rho", rows, "validation_mse", "REML")
    best = next(row.spec for row in build_table(study) if row.spec.optimizer == "sgd")
    assert gam_optimum(fitted, best)[0]["l1"] == pytest.approx(0.6, abs=0.05)


def test_a_model_without_a_point_inside_the_observed_range_leaves_the_slot_empty(make_study, tmp_path):
    study = make_study(
        search__draws=40,
        space={"depth": {"integer": [1, 20]}, "neurons": [200]},
        analysis={"gam": "s(sum_neurons, k=3)"},
    )
    proposed = candidates_of(study, [0.1 + 0.01 * n for n in range(len(build_table(study)))], tmp_path)
    slot = proposed["gam_optimum"]
    assert slot.spec is not None or "inside the observed range" in slot.reason


def test_the_best_level_of_a_factor_is_selected(make_study):
    study = make_study(search__draws=60, space={"activation": ["relu", "tanh", "elu"], "l1": {"uniform": [0, 1]}})
    rows = summary(study, [0.0] * 60)
    rows["validation_mse"] = rows["activation"].map({"relu": 0.3, "tanh": 0.1, "elu": 0.2}) + 0.01 * rows["l1"]
    fitted = fit_gam("f(activation) + l1", rows, "validation_mse", "REML")
    settings, predicted = gam_optimum(fitted, build_table(study)[0].spec)
    assert settings["activation"] == "tanh"
    assert predicted == pytest.approx(0.1 + 0.01 * rows["l1"].min(), abs=1e-3)


@given(st.integers(1, 5000), st.integers(1, 9))
def test_neurons_split_evenly_differ_by_one_at_most(total, parts):
    split = split_evenly(total, parts)
    assert max(split) - min(split) <= 1
    assert sum(split) == max(total, parts) if total >= parts else True

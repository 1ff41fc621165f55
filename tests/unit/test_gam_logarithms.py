"""Logarithms and interactions in formulas, as in mgcv (tests/golden/gam/log_*, by mgcv_logarithms.R, mgcv 1.8-41)."""

import shutil
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gamtune.gam.checks import check_terms
from gamtune.gam.covariates import covariate, span
from gamtune.gam.inference import infer
from gamtune.gam.model import fit_gam
from gamtune.gam.tables import curves, surfaces
from gamtune.gam.terms import Linear, Variable

GOLDEN = Path(__file__).parents[1] / "golden" / "gam"
CASES = Path(__file__).parents[1] / "cases"
FORMULAS = (GOLDEN / "log_formulas.txt").read_text(encoding="utf-8").split("\n")[:-1]
every_model = pytest.mark.parametrize(
    ("number", "method"), [(number, method) for number in range(1, len(FORMULAS) + 1) for method in ("GCV", "REML")]
)


@cache
def search():
    return pd.read_csv(GOLDEN / "log_search.csv")


@cache
def ours(number, method):
    return fit_gam(FORMULAS[number - 1], search(), "mse", method)


def mgcv(table, number, method, folder=GOLDEN):
    lines = pd.read_csv(folder / f"log_{table}.csv")
    return lines[(lines["formula"] == number) & (lines["method"] == method)]


def compare_effects(fitted, golden):
    spread = search().mse.std()
    for term in fitted.formula.terms:
        effect, error = fitted.effect(term.label, search())
        expected = golden[golden.term == term.label]
        centre = expected.effect.mean() if isinstance(term, Linear) else 0  # R leaves straight lines uncentred
        assert np.sqrt(np.mean((effect - (expected.effect - centre)) ** 2)) < 0.01 * spread, term.label
        if not isinstance(term, Linear):
            assert np.abs(error / expected.se.to_numpy() - 1).mean() < 0.02, term.label


@every_model
def test_a_model_with_logarithms_equals_that_of_mgcv(number, method):
    fitted, golden = ours(number, method), mgcv("models", number, method).iloc[0]
    assert len(fitted.coefficients) == golden.coefficients
    assert fitted.deviance_explained == pytest.approx(golden.deviance_explained, abs=0.002)
    assert fitted.edf_total == pytest.approx(golden.edf_total, abs=0.1)
    assert fitted.scale == pytest.approx(golden.scale, rel=0.005)
    tolerance = {"rel": 0.002} if method == "GCV" else {"abs": 0.02}
    assert fitted.criterion == pytest.approx(golden.criterion, **tolerance)


@every_model
def test_effects_of_logarithms_and_their_standard_errors_equal_those_of_mgcv(number, method):
    compare_effects(ours(number, method), mgcv("effects", number, method))


@every_model
def test_tests_and_checks_of_logarithms_equal_those_of_mgcv(number, method):
    fitted, golden = ours(number, method), mgcv("terms", number, method).set_index("term")
    orders = np.random.default_rng(1).permuted(np.tile(np.arange(len(search()))[:, None], 10), axis=0)
    for term, check in zip(fitted.terms, check_terms(fitted, orders), strict=True):
        if term.term not in golden.index:  # mgcv's table has smooths only
            assert check.k_index is None
            continue
        assert term.edf == pytest.approx(golden.edf[term.term], abs=0.1), term.term
        assert term.ref_df == pytest.approx(golden.ref_df[term.term], abs=0.15), term.term
        assert check.concurvity_worst == pytest.approx(golden.worst[term.term], abs=0.01), term.term
        assert check.k_index == pytest.approx(golden.k_index[term.term], abs=0.02), term.term
        if golden.p[term.term] > 1e-3:
            assert term.p == pytest.approx(golden.p[term.term], rel=0.1), term.term


@pytest.mark.r
def test_the_golden_files_equal_the_output_of_mgcv(tmp_path):
    probe = ["Rscript", "-e", "library(mgcv)"]
    if shutil.which("Rscript") is None or subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("R with mgcv is not installed")
    script = ["Rscript", GOLDEN / "mgcv_logarithms.R", GOLDEN / "log_search.csv", tmp_path / "log"]
    subprocess.run(script, check=True, capture_output=True, timeout=120)
    for number, method in ((2, "REML"), (3, "GCV")):
        golden = mgcv("effects", number, method)
        made = mgcv("effects", number, method, tmp_path)
        assert np.allclose(made.effect, golden.effect, rtol=0.01, atol=0.001)
        compare_effects(ours(number, method), made)


@pytest.mark.parametrize("logarithm", ["log", "log10", "log2"])
def test_a_logarithm_is_fitted_as_its_column_would_be(logarithm):
    table = search().assign(lg=getattr(np, logarithm)(search().rate))
    written, column = (
        fit_gam(f"{term} + s(width, k=4)", table) for term in (f"s({logarithm}(rate), k=5)", "s(lg, k=5)")
    )
    assert np.allclose(written.fitted, column.fitted)
    assert [term.p for term in written.terms] == pytest.approx([term.p for term in column.terms])
    line, straight = (fit_gam(term, table) for term in (f"{logarithm}(rate)", "lg"))
    assert line.parametric[1].name == f"{logarithm}(rate)"
    assert line.parametric[1].estimate == pytest.approx(straight.parametric[1].estimate)
    assert (infer(line).terms[0].p, infer(line).p_adjusted[0]) == (
        infer(straight).terms[0].p,
        infer(straight).p_adjusted[0],
    )


def test_a_column_and_its_logarithm_are_two_terms():
    fitted = ours(4, "REML")
    assert [term.term for term in fitted.terms] == ["s(rate)", "s(log(rate))", "log2(l2)"]
    parts = np.sum([fitted.effect(term.term, search())[0] for term in fitted.terms], axis=0)
    assert np.allclose(fitted.coefficients[0] + parts, fitted.predict(search()))


def test_logarithms_explain_more_than_the_natural_scale():
    rows = pd.read_csv(CASES / "52-log-terms" / "results.csv")
    natural = fit_gam("s(learning_rate, k=3) + s(l2, k=3) + s(sum_neurons, k=3)", rows)
    logged = fit_gam("s(log(learning_rate), k=3) + s(log(l2), k=3) + s(sum_neurons, k=3)", rows)
    assert natural.deviance_explained == pytest.approx(0.44, abs=0.005)
    assert logged.deviance_explained == pytest.approx(0.74, abs=0.005)
    assert infer(natural).terms[0].p > 0.05
    assert infer(logged).terms[0].p == pytest.approx(0.02, abs=0.005)


def test_curves_and_surfaces_have_natural_units_evenly_spaced_on_the_scale_of_the_term():
    fitted = fit_gam("te(log(rate), width, k=3) + s(log10(l2), k=4)", search())
    inference = infer(fitted)
    curve = curves(fitted, inference)
    assert (curve.x.min(), curve.x.max()) == (search().l2.min(), search().l2.max())
    assert np.diff(np.log(curve.x)) == pytest.approx(np.diff(np.log(curve.x)).mean())
    effect, error = fitted.effect("s(log10(l2))", curve.rename(columns={"x": "l2"}))
    assert np.allclose(curve.effect, effect)
    assert np.allclose(curve.se, error)
    surface = surfaces(fitted, inference)
    a, b = np.unique(surface.a), np.unique(surface.b)
    assert np.diff(np.log(a)) == pytest.approx(np.diff(np.log(a)).mean())
    assert np.diff(b) == pytest.approx(np.diff(b).mean())
    near = surface[~surface.far]
    assert set(a) == set(near.a)  # on the natural scale nine tenths of the grid would be far from every row
    assert near.null.notna().all()


def test_points_of_a_logarithm_never_leave_the_observed_range():
    table = pd.DataFrame({"x": [3e-7, 0.1, 0.3]})
    points = span(table, Variable("x", "log10"), 50)
    assert (points[0], points[-1]) == (3e-7, 0.3)
    assert covariate(pd.DataFrame({"x": points}), Variable("x", "log10")) == pytest.approx(
        np.linspace(np.log10(3e-7), np.log10(0.3), 50)
    )

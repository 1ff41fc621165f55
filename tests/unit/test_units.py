"""The units of a target or a response change nothing but the units of the results."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gamtune.analysis.gam import fit_gam
from gamtune.analysis.gam_files import effects
from gamtune.analysis.importance import importance
from gamtune.analysis.inference import infer, null_band

FORMULA = "s(x, k=5) + z + f(kind)"
FACTORS = st.floats(-25, 25).map(lambda exponent: 10.0**exponent)
EXACT = {"rel": 1e-6, "abs": 1e-9}  # the optimiser stops somewhere else by the rounding of the response


def trials(factor=1.0, shift=0.0):
    generator = np.random.default_rng(3)
    x, z = generator.uniform(0, 1, 45), generator.uniform(0, 1, 45)
    error = 3 + np.sin(5 * x) + 0.5 * z + generator.normal(0, 0.3, 45)
    return pd.DataFrame({"x": x, "z": z, "kind": ["a", "b", "c"] * 15, "mse": factor * error + shift})


@cache
def reference(method, response="mse"):
    return fit_gam(FORMULA, trials(), response, method)


@pytest.mark.parametrize("method", ["REML", "GCV"])
@settings(max_examples=12)
@given(factor=FACTORS)
def test_a_gam_is_the_same_in_every_unit_of_its_response(method, factor):
    unit, scaled = reference(method), fit_gam(FORMULA, trials(factor), "mse", method)
    assert scaled.edf_total == pytest.approx(unit.edf_total, **EXACT)
    assert scaled.deviance_explained == pytest.approx(unit.deviance_explained, **EXACT)
    assert scaled.scale == pytest.approx(unit.scale * factor**2, rel=1e-6)
    for here, there in zip(unit.terms, scaled.terms, strict=True):
        for name in ("edf", "ref_df", "f", "p", "deviance_share"):
            assert getattr(there, name) == pytest.approx(getattr(here, name), **EXACT), (here.term, name)
    for here, there in zip(unit.parametric, scaled.parametric, strict=True):
        assert there.estimate == pytest.approx(here.estimate * factor, rel=1e-6)
        assert there.t == pytest.approx(here.t, rel=1e-6)
    assert np.allclose(effects(scaled) / factor, effects(unit), rtol=1e-6, atol=1e-9)
    assert np.allclose(scaled.predict(trials()) / factor, unit.predict(trials()), rtol=1e-6)
    constant = np.log(factor) * (45 - unit.problem.unpenalised) if method == "REML" else None
    expected = unit.criterion + constant if method == "REML" else unit.criterion * factor**2
    assert scaled.criterion == pytest.approx(expected, rel=1e-6)


@settings(max_examples=12)
@given(factor=FACTORS)
def test_the_logarithm_of_a_response_has_effects_without_units(factor):
    unit, scaled = reference("REML", "log(mse)"), fit_gam(FORMULA, trials(factor), "log(mse)")
    assert scaled.edf_total == pytest.approx(unit.edf_total, rel=1e-6)
    columns = [name for name in effects(unit) if name != "fitted"]
    assert np.allclose(effects(scaled)[columns], effects(unit)[columns], rtol=1e-6, atol=1e-9)


def test_a_constant_added_to_a_response_moves_the_intercept_alone():
    unit, moved = reference("REML"), fit_gam(FORMULA, trials(shift=1.7e9), "mse")
    assert moved.edf_total == pytest.approx(unit.edf_total, rel=1e-5)
    assert [term.p for term in moved.terms] == pytest.approx([term.p for term in unit.terms], rel=1e-4)


@pytest.mark.parametrize("factor", [1e-25, 1e25])
def test_permutation_tests_bands_and_importance_are_the_same_in_every_unit(factor):
    told = []
    for unit in (1.0, factor):
        rows = trials(unit)
        fitted = fit_gam("s(x, k=4) + z", rows)
        inference = infer(fitted)
        ranked = importance(fitted, inference, rows, "mse", ["x", "z", "kind"], [])
        band = null_band(fitted, inference, "s(x)", rows) / unit
        p = [term.p for term in inference.terms]
        checks = [(check.concurvity_worst, check.k_index or 0.0, check.k_p or 0.0) for check in inference.checks]
        told.append((p, inference.model.p, band, np.array(checks), ranked))
    (p, model, band, checks, ranked), (other_p, other_model, other_band, other_checks, other_ranked) = told
    assert (other_p, other_model) == (p, model)
    assert np.allclose(other_band, band, rtol=1e-6)
    assert np.allclose(other_checks, checks, rtol=1e-6)
    pd.testing.assert_frame_equal(other_ranked, ranked, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e-25, 1.7e9, -3e25])
def test_a_constant_response_is_refused_in_every_unit(value):
    rows = trials().assign(mse=value)
    with pytest.raises(ValueError, match="there is nothing to explain"):
        fit_gam(FORMULA, rows)

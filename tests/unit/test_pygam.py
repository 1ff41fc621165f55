"""The fitted pygam.LinearGAM agrees with the GAM engine, and its usual methods work."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_gam import LECTURE, digits, simulated
from test_gam_logarithms import FORMULAS, search
from test_mgcv import FORMULA as SEARCH_FORMULA
from test_mgcv import searched

from gamtune.gam import DataError
from gamtune.gam.model import fit_gam
from gamtune.gam.pygam_model import Features

CASES = Path(__file__).parents[1] / "cases"
AGREEMENT = 1e-6  # standard deviations of the response; 3e-8 was measured
every_method = pytest.mark.parametrize("method", ["GCV", "REML"])


@cache
def by_hand():
    table = simulated(80)
    return table.assign(y=table.x**2 + np.arange(80) % 7, positive=np.exp(table.z / 5))


def agrees(formula, table, response, method):
    """Compare fitted values, effects and degrees of freedom; return the fitted model and X."""
    fitted = fit_gam(formula, table, response, method)
    x = Features.of(fitted.bases)(fitted.rows)
    assert len(fitted.pygam.terms) == len(fitted.terms) + 1  # pyGAM drops no term and adds the intercept
    assert np.abs(fitted.pygam.predict(x) - fitted.fitted).max() < AGREEMENT * fitted.unit
    for number, term in enumerate(fitted.formula.terms):
        effect = fitted.pygam.partial_dependence(number, x)
        assert np.abs(effect - fitted.effect(term.label, fitted.rows)[0]).max() < AGREEMENT * fitted.unit, term.label
    assert fitted.pygam.statistics_["edof"] == pytest.approx(fitted.edf_total, abs=1e-6)
    assert fitted.pygam.statistics_["pseudo_r2"]["explained_deviance"] == pytest.approx(fitted.deviance_explained)
    return fitted, x


@every_method
@pytest.mark.parametrize("response", ["mse", "log(mse)"])
def test_pygam_agrees_on_the_golden_search(response, method):
    agrees(LECTURE, digits(), response, method)


@every_method
@pytest.mark.parametrize("formula", FORMULAS)
def test_pygam_agrees_on_logarithms(formula, method):
    agrees(formula, search(), "mse", method)


@every_method
@pytest.mark.parametrize("rows", [40, 200])
def test_pygam_agrees_on_further_searches(rows, method):
    agrees(SEARCH_FORMULA, searched(rows, 1), "mse", method)


@every_method
@pytest.mark.parametrize(
    "formula",
    [
        "x",
        "f(kind)",
        "z + f(kind)",
        "s(x)",
        "s(x) + te(z, y, k=3)",
        "s(x) + s(z) + ti(x, z, k=4) + f(kind)",
        "te(x, z, y, k=3)",
        "log(positive) + s(x, k=4)",
        "te(log10(positive), x, k=(3, 4)) + f(kind)",
    ],
)
def test_pygam_agrees_on_every_kind_of_term(formula, method):
    agrees(formula, by_hand(), "mse", method)


@pytest.mark.parametrize(("unit", "offset"), [(1e-6, 0.0), (1e6, 0.0), (1e-3, 0.5), (1.0, -1000.0)])
def test_pygam_agrees_in_any_units(unit, offset):
    agrees("s(x) + f(kind)", by_hand().assign(mse=lambda table: unit * table.mse + offset), "mse", "REML")


def test_pygam_agrees_on_few_rows_and_on_a_noiseless_response():
    rows = pd.read_csv(CASES / "52-log-terms" / "results.csv")
    agrees("s(log(learning_rate), k=3) + s(log(l2), k=3) + s(sum_neurons, k=3)", rows, "mse", "REML")
    x = np.linspace(0, 1, 50)
    agrees("s(x, k=6)", pd.DataFrame({"x": x, "mse": np.sin(6 * x)}), "mse", "REML")


def test_a_column_may_be_a_factor_and_a_logarithm():
    table = by_hand().assign(depth=np.arange(80) % 5 + 1)
    fitted, x = agrees("f(depth) + s(log(x), k=5) + s(z, k=4)", table, "mse", "REML")
    assert Features.of(fitted.bases).names == ("depth", "x", "z")
    assert sorted(set(x[:, 0])) == [0, 1, 2, 3, 4]


def test_pygam_predicts_rows_that_the_fit_has_not_seen():
    fitted = fit_gam("s(x) + te(z, y, k=3) + f(kind)", by_hand())
    other = pd.DataFrame({"x": [-0.2, 0.5, 1.4], "z": [0.0, 9.0, 25.0], "y": [1.0, 2.0, 9.0], "kind": ["tanh"] * 3})
    features = Features.of(fitted.bases)
    assert fitted.pygam.predict(features(other)) == pytest.approx(fitted.predict(other), abs=1e-6)
    with pytest.raises(DataError, match=r"f\(kind\): no row of the fit has kind = elu"):
        features(other.assign(kind="elu"))


def test_pygam_evaluates_a_smooth_and_a_surface_on_its_own_grids():
    fitted = fit_gam("s(x) + te(z, y, k=3) + f(kind)", by_hand())
    gam = fitted.pygam
    grid = gam.generate_X_grid(term=0)
    effect, interval = gam.partial_dependence(0, grid, width=0.95)
    assert effect == pytest.approx(fitted.effect("s(x)", pd.DataFrame({"x": grid[:, 0]}))[0], abs=1e-6)
    assert (interval[:, 0] < effect).all()
    assert (interval[:, 1] > effect).all()
    z, y = gam.generate_X_grid(term=1, meshgrid=True)
    surface = gam.partial_dependence(1, (z, y), meshgrid=True)
    expected = fitted.effect("te(z,y)", pd.DataFrame({"z": z.ravel(), "y": y.ravel()}))[0]
    assert surface.ravel() == pytest.approx(expected, abs=1e-6)
    levels = gam.partial_dependence(2, gam.generate_X_grid(term=2))
    assert len(np.unique(levels.round(9))) == 3


@pytest.mark.filterwarnings("ignore:KNOWN BUG")
def test_pygam_prints_its_summary_with_our_terms(capsys):
    fit_gam("s(log(positive), k=4) + te(z, y, k=3) + x", by_hand()).pygam.summary()
    printed = capsys.readouterr().out
    assert "LinearGAM" in printed
    assert all(label in printed for label in ("s(log(positive))", "te(z,y)", "\nx ", "intercept"))

"""The GAM compared with mgcv (tests/golden/gam, made by mgcv_fit.R with mgcv 1.8-41) and with exact computations."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from gamtune.analysis.gam_files import write_gam
from gamtune.gam.formula import parse_formula
from gamtune.gam.model import TooFewRows, fit_gam
from gamtune.gam.penalised_fit import Problem
from gamtune.gam.smooths import build_basis
from gamtune.gam.term_test import mixture_survival

GOLDEN = Path(__file__).parents[1] / "golden" / "gam"
LECTURE = (
    "s(l1, k=4) + s(l2, k=4) + s(input_dropout) + s(rho, k=4) + s(epsilon, k=4)"
    " + s(mean_hidden_dropout, k=4) + te(depth, sum_neurons, k=4)"
)
CASES = [(response, method) for response in ("mse", "log(mse)") for method in ("GCV", "REML")]
every_case = pytest.mark.parametrize(("response", "method"), CASES)


@cache
def digits():
    return pd.read_csv(GOLDEN / "digits_random_100.csv")


@cache
def ours(response, method):
    return fit_gam(LECTURE, digits(), response, method)


@cache
def mgcv(response, method, table):
    name = f"digits_{response.replace('(', '').replace(')', '')}_{method.replace('GCV', 'GCV.Cp')}_{table}.csv"
    return pd.read_csv(GOLDEN / name)


def response_values(response):
    return np.log(digits().mse) if response == "log(mse)" else digits().mse


@every_case
def test_model_statistics_equal_those_of_mgcv(response, method):
    fitted, golden = ours(response, method), mgcv(response, method, "model").iloc[0]
    assert fitted.deviance_explained == pytest.approx(golden.deviance_explained, abs=0.001)
    assert fitted.r_sq_adj == pytest.approx(golden.r_sq_adj, abs=0.001)
    assert fitted.edf_total == pytest.approx(golden.edf_total, abs=0.05)
    assert fitted.scale == pytest.approx(golden.scale, rel=0.001)
    assert fitted.n == golden.n


@every_case
def test_the_criterion_equals_that_of_mgcv(response, method):
    golden = mgcv(response, method, "model").iloc[0].criterion
    tolerance = {"rel": 0.001} if method == "GCV" else {"abs": 0.01}  # -REML is a log likelihood
    assert ours(response, method).criterion == pytest.approx(golden, **tolerance)


@every_case
def test_effects_and_standard_errors_equal_those_of_mgcv(response, method):
    fitted, golden = ours(response, method), mgcv(response, method, "effects")
    spread = response_values(response).std()
    assert np.abs(fitted.fitted - golden.fitted).max() < 0.01 * spread
    for term in fitted.terms:
        effect, error = fitted.effect(term.term, digits())
        assert np.corrcoef(effect, golden[term.term])[0, 1] > 0.999, term.term
        assert np.sqrt(np.mean((effect - golden[term.term]) ** 2)) < 0.005 * spread, term.term
        assert np.abs(error / golden[f"se:{term.term}"] - 1).mean() < 0.01, term.term


@every_case
def test_edf_and_p_values_of_every_term_equal_those_of_mgcv(response, method):
    golden = mgcv(response, method, "terms").set_index("term")
    for term in ours(response, method).terms:
        assert term.edf == pytest.approx(golden.edf[term.term], abs=0.02), term.term
        assert term.ref_df == pytest.approx(golden.ref_df[term.term], abs=0.02), term.term
        if golden.p[term.term] > 1e-3:
            assert term.p == pytest.approx(golden.p[term.term], rel=0.01), term.term
        else:  # mgcv's own tail is approximate there
            assert term.p < 1e-3, term.term


def test_effects_and_intercept_add_up_to_the_prediction_and_each_effect_to_zero():
    fitted = ours("mse", "REML")
    effects = [fitted.effect(term.term, digits())[0] for term in fitted.terms]
    assert np.allclose(fitted.predict(digits()), fitted.coefficients[0] + np.sum(effects, axis=0))
    assert np.allclose(fitted.predict(digits()), fitted.fitted)
    assert np.allclose([effect.sum() for effect in effects], 0, atol=1e-8)
    assert fitted.coefficients[0] == pytest.approx(digits().mse.mean())


def simulated(n, seed=0):
    random = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "x": random.uniform(0, 1, n),
            "z": random.uniform(-5, 20, n),
            "kind": random.choice(["relu", "tanh", "gelu"], n),
        }
    )
    signal = np.sin(5 * table.x) + 0.02 * table.z + 0.5 * (table.kind == "relu")
    return table.assign(mse=5 + signal + random.normal(0, 0.3, n))


def least_squares(columns, y):
    """Return coefficients, their covariance and the deviance of an ordinary linear model."""
    coefficients, deviance, *_ = np.linalg.lstsq(columns, y, rcond=None)
    return coefficients, np.linalg.inv(columns.T @ columns) * deviance / (len(y) - columns.shape[1]), float(deviance[0])


@pytest.mark.parametrize("method", ["GCV", "REML"])
def test_without_smooths_the_model_is_ordinary_least_squares(method):
    table = simulated(60)
    fitted = fit_gam("z + f(kind)", table, "mse", method)
    line, levels = np.ones((60, 1)), [(table.kind == kind).astype(float) for kind in ("relu", "tanh")]
    expected, covariance, deviance = least_squares(np.column_stack([line, table.z, *levels]), table.mse.to_numpy())
    names = [row.name for row in fitted.parametric]
    assert names == ["(Intercept)", "z", "kindrelu", "kindtanh"]
    assert np.allclose([row.estimate for row in fitted.parametric], expected)
    assert np.allclose([row.standard_error for row in fitted.parametric], np.sqrt(np.diag(covariance)))
    _, _, without = least_squares(np.column_stack([line, table.z]), table.mse.to_numpy())
    factor = fitted.terms[1]
    assert factor.f == pytest.approx((without - deviance) / 2 / (deviance / 56))
    assert factor.p == pytest.approx(stats.f.sf(factor.f, 2, 56))
    assert factor.deviance_share == pytest.approx((without - deviance) / np.square(table.mse - table.mse.mean()).sum())


def test_a_strongly_smoothed_term_is_the_least_squares_line():
    x = np.linspace(2, 3, 40)
    table = pd.DataFrame({"x": x, "mse": 3 * x + 0.1 * np.where(np.arange(40) % 2, 1, -1)})
    fitted = fit_gam("s(x)", table)
    slope, start = np.polyfit(x, table.mse, 1)
    assert fitted.terms[0].edf == pytest.approx(1, abs=0.01)
    assert np.allclose(fitted.fitted, start + slope * x, atol=1e-3)


def test_effects_are_linear_outside_the_observed_range():
    fitted = fit_gam("s(x)", simulated(200))
    effect, _ = fitted.effect("s(x)", pd.DataFrame({"x": [1.1, 1.2, 1.3]}))
    assert np.diff(effect)[0] == pytest.approx(np.diff(effect)[1])


def test_units_and_order_of_rows_do_not_change_the_fit():
    table = simulated(80)
    fitted = fit_gam("s(x) + te(z, y, k=3)", table.assign(y=table.x**2 + np.arange(80) % 7))
    other = table.assign(y=table.x**2 + np.arange(80) % 7).iloc[::-1]
    rescaled = fit_gam("s(x) + te(z, y, k=3)", other.assign(x=1e-6 * other.x + 3, z=1e5 * other.z))
    assert np.allclose(fitted.fitted, rescaled.fitted[::-1], atol=1e-3)


@pytest.mark.parametrize("method", ["gcv", "reml"])
def test_the_gradient_of_the_criterion_agrees_with_finite_differences(method):
    table = simulated(80)
    bases = tuple(build_basis(term, table) for term in parse_formula("s(x, k=6) + te(z, y, k=3)").terms[:1])
    tensor = table.assign(y=np.arange(80) % 7)
    bases += (build_basis(parse_formula("te(z, y, k=3)").terms[0], tensor),)
    design = np.hstack([np.ones((80, 1)), *(basis.design(tensor) for basis in bases)])
    criterion = getattr(Problem(bases, design, table.mse.to_numpy()), method)
    at = np.array([-2.0, 0.5, 1.5])
    slope = optimize.approx_fprime(at, lambda log_smoothing: criterion(log_smoothing)[0], 1e-6)
    assert np.allclose(criterion(at)[1], slope, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("ones", "part"), [(0, 0.3), (1, 0.7), (4, 0.5)])
def test_the_reference_distribution_agrees_with_simulation(ones, part):
    random = np.random.default_rng(1)
    root = np.sqrt((1 + part) * (1 - part))
    squares = random.chisquare(1, (400_000, ones + 2))
    weights = np.r_[np.ones(ones), (1 + part + root) / 2, (1 + part - root) / 2]
    ratio = squares @ weights / (random.chisquare(20, 400_000) / 20)
    for statistic in (1.0, 4.0, 9.0):
        expected = np.mean(ratio > statistic)
        assert mixture_survival(statistic, ones, part, 20) == pytest.approx(expected, abs=0.003)


def test_the_false_positive_rate_is_about_the_nominal_level():
    random = np.random.default_rng(5)
    tables = [pd.DataFrame({"x": random.uniform(size=50), "mse": random.normal(size=50)}) for _ in range(60)]
    p = [fit_gam("s(x, k=5)", table).terms[0].p for table in tables]
    assert np.sum(np.array(p) < 0.05) <= 8
    assert 0.35 < np.mean(p) < 0.65


def test_rows_with_missing_or_infinite_values_are_left_out_and_counted():
    table = simulated(60)
    table.loc[3, "x"] = np.nan
    table.loc[4, "mse"] = np.inf
    table["unused"] = np.nan
    fitted = fit_gam("s(x)", table)
    assert (fitted.n, fitted.dropped) == (58, 2)
    assert fitted.warnings == ("2 of 60 rows left out: a value is missing in a column the model uses",)


def test_few_rows_per_coefficient_cause_a_warning_and_too_few_an_error():
    (warning,) = ours("mse", "REML").warnings
    assert warning.startswith("100 rows for 40 coefficients, fewer than 3 per coefficient")
    with pytest.raises(TooFewRows, match="39 rows are too few for 40 coefficients"):
        fit_gam(LECTURE, digits().head(39))
    assert fit_gam("s(x)", simulated(60)).warnings == ()


@pytest.mark.parametrize(
    ("formula", "response", "message"),
    [
        ("s(x)", "log(loss)", r"response log\(loss\): no column 'loss' in the table"),
        ("s(mse)", "log(mse)", "mse is also in a term; remove the term"),
        ("s(x) + s(same)", "mse", "same is constant"),
        ("s(kind)", "mse", r"s\(kind\): row 1, column 'kind': '\w+' is not a number; correct it, or write f\(kind\)"),
        ("s(x)", "kind", r"response kind: row 1, column 'kind': '\w+' is not a number"),
        ("s(x)", "log(zero)", r"log\(zero\): row 1, column 'zero': 0 has no logarithm, which needs values above 0"),
        ("s(log(x)) + log(centred)", "mse", r"log\(centred\): row 2, column 'centred': -1.5 has no logarithm"),
        ("te(log(x), log(centred), k=3)", "mse", r"log\(centred\): row 2, column 'centred': -1.5 has no logarithm"),
        ("s(x) + s(negative)", "mse", r"s\(x\) and s\(negative\) are not distinguishable"),
        ("x + z + both", "mse", "x, z and both are not distinguishable"),
        ("s(x)", "zero", "the response is 0 in every row"),
        ("s(x) + twice", "mse", r"s\(x\) and twice are not distinguishable|twice and s\(x\) are not distinguishable"),
        ("te(x, twice, k=3)", "mse", r"te\(x,twice\): its columns are collinear"),
    ],
)
def test_the_reason_why_a_model_cannot_be_fitted_is_reported_in_one_line(formula, response, message):
    table = simulated(60).assign(same=0.5, zero=0.0)
    table = table.assign(twice=2 * table.x, negative=-table.x, both=table.x + table.z, centred=np.arange(60) + 0.5)
    table.loc[1, "centred"] = -1.5
    with pytest.raises(ValueError, match=message) as caught:
        fit_gam(formula, table, response)
    assert "\n" not in str(caught.value)


def test_unknown_methods_terms_and_levels_are_reported():
    fitted = fit_gam("s(x) + f(kind)", simulated(60))
    with pytest.raises(ValueError, match="method: got 'ML'"):
        fit_gam("s(x)", simulated(60), method="ML")
    with pytest.raises(ValueError, match=r"no term 's\(z\)'; the model has s\(x\), f\(kind\)"):
        fitted.effect("s(z)", simulated(60))
    with pytest.raises(ValueError, match=r"f\(kind\): no row of the fit has kind = elu"):
        fitted.effect("f(kind)", pd.DataFrame({"kind": ["elu"]}))


def test_a_model_without_residuals_is_refused_in_one_line():
    table = pd.DataFrame({"x": np.arange(12.0), "mse": np.arange(12.0) ** 2})
    with pytest.raises(TooFewRows, match="12 rows leave no residual degrees of freedom for a model with 12"):
        fit_gam("f(x)", table)


def test_the_files_contain_the_columns_that_the_report_reads(tmp_path):
    fitted = ours("log(mse)", "GCV")
    write_gam(fitted, tmp_path / "gam")
    tables = {path.stem: pd.read_csv(path) for path in (tmp_path / "gam").glob("*.csv")}
    assert {path.name for path in (tmp_path / "gam").iterdir() if not path.name.endswith(".sha256")} == {
        "summary.txt", "warnings.txt", *(f"{name}.csv" for name in ("terms", "model", "effects", "curves", "surfaces")),
    }  # fmt: skip
    assert "100 rows for 40 coefficients" in (tmp_path / "gam" / "warnings.txt").read_text()
    labels = [term.label for term in parse_formula(LECTURE).terms]
    assert list(tables["terms"]) == [
        "term", "edf", "F", "p", "p_adjusted", "deviance_share", "null_low", "null_high", "ref_df", "F_wood", "p_wood",
        "concurvity_worst", "concurvity_observed", "k_index", "k_p",
    ]  # fmt: skip
    assert list(tables["terms"].term) == labels
    figures = [
        "method", "criterion", "scale", "edf_total", "deviance_explained", "r_sq_adj", "n", "coefficients", "p",
        "null_edf", "null_deviance_explained", "null_high",
    ]  # fmt: skip
    assert list(tables["model"]) == figures
    assert list(tables["effects"]) == ["fitted", *labels, *(f"se:{label}" for label in labels)]
    assert list(tables["curves"]) == ["term", "x", "effect", "se", "null"]
    assert tables["curves"].groupby("term").size().to_dict() == dict.fromkeys(labels[:-1], 200)
    assert list(tables["surfaces"]) == ["term", "a", "b", "effect", "se", "null", "far"]
    assert (tables["surfaces"].null.isna() == tables["surfaces"].far).all()
    assert len(tables["surfaces"]) == 5 * 50  # depth has 5 values


def test_a_surface_point_is_far_without_a_row_within_a_tenth_of_the_range(tmp_path):
    write_gam(ours("mse", "REML"), tmp_path)
    surface = pd.read_csv(tmp_path / "surfaces.csv")
    rows = digits()[["depth", "sum_neurons"]].to_numpy()
    low, span = rows.min(axis=0), np.ptp(rows, axis=0)
    distances = np.linalg.norm(((surface[["a", "b"]].to_numpy() - low) / span)[:, None] - (rows - low) / span, axis=2)
    assert (surface.far == (distances.min(axis=1) > 0.1)).all()
    assert 0 < surface.far.mean() < 1


def test_the_curve_of_a_factor_has_one_row_per_level(tmp_path):
    write_gam(fit_gam("f(kind) + z", simulated(60)), tmp_path)
    curves = pd.read_csv(tmp_path / "curves.csv")
    assert list(curves.x[curves.term == "f(kind)"]) == ["gelu", "relu", "tanh"]
    assert pd.read_csv(tmp_path / "surfaces.csv").empty
    summary = (tmp_path / "summary.txt").read_text()
    assert "kindrelu" in summary
    assert "f(kind)" in summary


def test_the_summary_has_the_layout_of_mgcv(tmp_path):
    write_gam(ours("mse", "GCV"), tmp_path)
    lines = (tmp_path / "summary.txt").read_text().splitlines()
    assert lines[:4] == ["Family: gaussian", "Link function: identity", "", "Formula:"]
    assert lines[4].startswith("mse ~ s(l1, k=4) + s(l2, k=4)")
    assert lines[10] == "Permutation tests of the terms:"
    assert lines[12].split()[:2] == ["s(l1)", "2.526"]
    assert "R-sq.(adj) = 0.705   Deviance explained = 74.6%" in lines
    assert "GCV = 0.032071  Scale est. = 0.027306  n = 100" in lines
    assert any("on permuted responses, the model explains 17." in line for line in lines)
    assert lines[-1].startswith("Warning: 100 rows for 40 coefficients")

"""Permutation tests: false positive rate, power, and agreement with exact tests."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from threadpoolctl import threadpool_limits

from gamtune.gam.inference import infer, null_band
from gamtune.gam.model import fit_gam
from gamtune.gam.null_terms import holm, null_term

pytestmark = pytest.mark.slow

GOLDEN = "tests/golden/gam/digits_random_100.csv"
FORMULA = "s(x, k=4) + z + te(a, b, k=3)"


def noise(seed, n=60):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(rng.uniform(size=(n, 4)), columns=["x", "z", "a", "b"])
    return table.assign(kind=rng.choice(["relu", "tanh"], n), mse=rng.normal(size=n))


def orders(n, count=199, seed=3):
    return np.random.default_rng(seed).permuted(np.tile(np.arange(n)[:, None], count), axis=0)


def term_tests(table, formula=FORMULA, method="REML"):
    fitted = fit_gam(formula, table, "mse", method)
    draws = orders(fitted.n)
    with threadpool_limits(limits=1, user_api="blas"):
        return [
            null_term(fitted.problem, term, fitted.log_smoothing, method, draws) for term in range(len(fitted.terms))
        ]


@pytest.mark.parametrize("method", ["REML", "GCV"])
def test_the_false_positive_rate_is_the_nominal_level(method):
    p = np.array([[term.p for term in term_tests(noise(seed), method=method)] for seed in range(60)])
    assert np.sum(holm_rows(p).min(axis=1) <= 0.05) <= 8  # 3 expected; more than 8 once in 300
    assert 0.42 < p.mean() < 0.58


def holm_rows(p):
    return np.array([holm(row) for row in p])


def test_only_terms_with_an_effect_are_significant():
    table = noise(1).assign(kind="")
    table["mse"] = 3 * np.sin(4 * table.x) + 0.3 * table.mse
    inference = infer(fit_gam(FORMULA, table))
    assert inference.p_adjusted[0] <= 0.003
    assert (inference.p_adjusted[1:] > 0.05).all()
    assert inference.model.p == pytest.approx(1 / 200)


def test_the_deviance_explained_of_noise_is_within_the_null_distribution():
    fitted = fit_gam(FORMULA, noise(4))
    null = infer(fitted).model
    assert null.p > 0.05
    assert abs(fitted.deviance_explained - np.median(null.deviance_explained)) < 0.2
    assert (null.edf >= 6).all()  # degrees of freedom without penalty


def test_the_permutation_test_of_a_line_agrees_with_the_t_test():
    for seed in range(6):
        table = noise(seed)
        (term,) = term_tests(table, "x")
        line = stats.linregress(table.x, table.mse)
        assert term.f == pytest.approx((line.slope / line.stderr) ** 2)
        assert term.p == pytest.approx(
            line.pvalue, abs=0.1
        )  # with 199 permutations, the standard deviation is at most 0.035


def test_the_permutation_statistic_of_a_factor_is_the_f_of_anova():
    table = noise(2)
    (term,) = term_tests(table, "f(kind)")
    groups = [group.mse for _, group in table.groupby("kind")]
    assert term.f == pytest.approx(stats.f_oneway(*groups).statistic)


def test_most_effects_of_noise_lie_within_the_null_band():
    outside = []
    for seed in range(30):
        fitted = fit_gam("s(x, k=4)", noise(seed))
        grid = pd.DataFrame({"x": np.linspace(0.05, 0.95, 50)})
        band = null_band(fitted, infer_fast(fitted), "s(x)", grid)
        outside.append(bool((np.abs(fitted.effect("s(x)", grid)[0]) > band).any()))
    assert sum(outside) <= 5  # 1.5 expected; more than 5 once in 500


def infer_fast(fitted):
    """Return a fake inference with the attributes that the null band uses."""

    class Known:
        terms = (null_term(fitted.problem, 0, fitted.log_smoothing, fitted.method, orders(fitted.n)),)

    return Known


def test_significance_agrees_with_mgcv_in_clear_cases():
    fitted = fit_gam("s(l1, k=4) + s(l2, k=4) + s(input_dropout) + s(rho, k=4) + s(epsilon, k=4)"
                     " + s(mean_hidden_dropout, k=4) + te(depth, sum_neurons, k=4)", pd.read_csv(GOLDEN))  # fmt: skip
    inference = infer(fitted)
    for term, null, adjusted in zip(fitted.terms, inference.terms, inference.p_adjusted, strict=True):
        if term.p < 0.001:  # fitted.terms contains mgcv's p-values, which test_gam compares with mgcv
            assert adjusted <= 0.01, term.term
        elif term.p > 0.1:
            assert null.p > 0.05, term.term
        else:
            assert 0.01 < null.p < 0.1, term.term


def test_equal_tables_give_equal_results():
    first, second = (infer(fit_gam("s(x, k=4)", noise(1))) for _ in range(2))
    assert first.terms[0].p == second.terms[0].p
    assert (first.model.deviance_explained == second.model.deviance_explained).all()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_p_values_keep_the_order_and_are_at_most_those_of_bonferroni(p):
    p = np.array(p)
    adjusted = holm(p)
    assert (adjusted >= p).all()
    assert (adjusted <= np.minimum(len(p) * p, 1) + 1e-12).all()
    assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0).all()

"""Draws, quantiles and descriptions of the distributions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gamtune.config.distributions import DISTRIBUTIONS, Distribution
from gamtune.report.space_words import describe_space
from gamtune.search.designs import random_design
from gamtune.search.distributions.beta import Beta
from gamtune.search.distributions.choice import Choice
from gamtune.search.distributions.normal import Normal
from gamtune.search.distributions.ranges import Integer, LogUniform, Uniform
from gamtune.search.table import build_table


def unit_draws(seed, name, draws):
    return random_design(seed, draws)(name, 0)


@pytest.mark.parametrize(
    ("distribution", "reference"),
    [
        (Uniform(uniform=(-1, 3)), stats.uniform(-1, 4)),
        (LogUniform(log_uniform=(1e-4, 10)), stats.loguniform(1e-4, 10)),
        (Normal(normal=(2, 0.5)), stats.norm(2, 0.5)),
        (Normal(normal=(0, 1), min=-0.5, max=2), stats.truncnorm(-0.5, 2)),
        (Beta(beta=(1, 12)), stats.beta(1, 12)),
        (Beta(beta=(1.5, 1), scale=0.5), stats.beta(1.5, 1, scale=0.5)),
    ],
)
def test_continuous_draws_follow_their_distribution(distribution, reference):
    sample = distribution.quantile(unit_draws(3, "x", 4000))
    assert stats.kstest(sample, reference.cdf).pvalue > 0.001
    assert distribution.support[0] <= min(sample)
    assert max(sample) <= distribution.support[1]


@given(
    start=st.floats(-45, 45),
    width=st.floats(0.5, 100) | st.just(float("inf")),
    mirrored=st.booleans(),
    u=st.lists(st.floats(0, 1 - 2**-53), min_size=2, max_size=20),
)
def test_a_truncated_normal_is_exact_in_both_tails(start, width, mirrored, u):
    low, high = (-start - width, -start) if mirrored else (start, start + width)
    limits = {name: end for name, end in (("min", low), ("max", high)) if np.isfinite(end)}
    distribution = Normal(normal=(0, 1), **limits)
    u = np.sort(u)
    drawn = np.array(distribution.quantile(u))
    assert (np.diff(drawn) >= 0).all()
    assert low <= drawn[0]
    assert drawn[-1] <= high
    inside = (u > 1e-6) & (u < 1 - 1e-6)
    expected = stats.truncnorm.ppf(u[inside], low, high)
    assert drawn[inside] == pytest.approx(expected, rel=1e-5, abs=1e-5)
    assert all(0 <= distribution.unit(value) <= 1 for value in drawn)
    if abs(start) < 10:
        assert [distribution.unit(value) for value in drawn[inside]] == pytest.approx(u[inside], abs=1e-3)


def test_draws_beyond_ten_standard_deviations_differ(make_study):
    study = make_study(
        space={"l1": {"normal": [0, 0.001], "min": 0.01}, "rho": {"normal": [0.99, 0.001], "min": 0.5, "max": 0.98}}
    )
    rows = build_table(study)
    assert len({row.spec.l1 for row in rows}) == len({row.spec.rho for row in rows}) == 10
    assert all(0.01 <= row.spec.l1 < 0.011 and 0.979 < row.spec.rho <= 0.98 for row in rows)


@pytest.mark.parametrize("shapes", [(1e-6, 1e-6), (1e-6, 1e9), (1e9, 1e-6), (1e9, 1e9), (0.01, 5), (1, 12), (12, 1)])
def test_a_beta_distribution_is_exact_in_both_tails(shapes):
    u = np.array([1e-9, 1e-3, 0.2, 0.5, 0.8, 0.999, 1 - 1e-9])
    drawn = np.array(Beta(beta=shapes, scale=0.5).quantile(u))
    assert drawn == pytest.approx(stats.beta(*shapes, scale=0.5).ppf(u), rel=1e-5, abs=1e-300)
    assert (np.diff(drawn) >= 0).all()


def test_integers_and_choices_are_drawn_with_equal_frequencies():
    depths = Integer(integer=(1, 5)).quantile(unit_draws(1, "depth", 10_000))
    assert {depths.count(depth) // 100 for depth in range(1, 6)} <= set(range(18, 23))
    chosen = Choice(choice=["relu", [1, 2], 0.5]).quantile(unit_draws(1, "x", 9000))
    assert min(chosen.count(value) for value in ("relu", [1, 2], 0.5)) > 2800


@pytest.mark.parametrize(
    "distribution",
    [
        Uniform(uniform=(-1, 3)),
        LogUniform(log_uniform=(1e-4, 10)),
        Normal(normal=(2, 0.5)),
        Normal(normal=(0, 1), min=-0.5, max=2),
        Beta(beta=(1.5, 1), scale=0.5),
        Integer(integer=(3, 17)),
        Choice(choice=["relu", "tanh", [1, 2], 4]),
    ],
)
def test_unit_is_the_inverse_of_quantile(distribution):
    values = distribution.quantile(np.linspace(0.001, 0.999, 200))
    back = distribution.quantile(np.array([distribution.unit(value) for value in values]))
    assert back == (values if isinstance(distribution, Choice) else pytest.approx(values))


def test_a_value_outside_the_support_is_mapped_to_the_nearest_end():
    assert Uniform(uniform=(1, 2)).unit(5) == Beta(beta=(1, 2)).unit(7) == LogUniform(log_uniform=(1, 2)).unit(3) == 1
    assert Uniform(uniform=(1, 2)).unit(-5) == LogUniform(log_uniform=(1, 2)).unit(-3) == 0
    assert Integer(integer=(1, 4)).unit(9) == 0.875


@pytest.mark.parametrize(
    ("raw", "words", "ends"),
    [
        ({"log_uniform": [1e-4, 1.0]}, "log-uniform: all orders of magnitude equally likely", "0.0001 to 1"),
        (
            {"beta": [1.5, 1], "scale": 0.5, "per": "depth"},
            "beta(1.5, 1), mean 0.3, one value per hidden layer",
            "0 to 0.5",
        ),
        ({"normal": [0.95, 0.02], "max": 1.0}, "normal, mean 0.95, standard deviation 0.02", "to 1"),
        ({"choice": [0.1]}, "fixed", "0.1"),
        (
            {"choice": [0.0, 0.9], "when": {"optimizer": "sgd"}},
            "one of these values, equally likely, only where optimizer is sgd",
            "0, 0.9",
        ),
    ],
)
def test_distributions_are_described_in_words(raw, words, ends):
    (described,) = describe_space({"learning_rate": raw})
    assert (described.distribution, described.range) == (words, ends)


def test_a_distribution_has_the_name_of_its_first_field():
    raws = {
        "integer": (1, 2),
        "uniform": (0, 1),
        "log_uniform": (1, 2),
        "normal": (0, 1),
        "beta": (1, 1),
        "choice": [1],
    }
    assert raws.keys() == DISTRIBUTIONS.built_in.keys()
    for name, raw in raws.items():
        distribution = DISTRIBUTIONS.load(name)(**{name: raw})
        assert distribution.name == name
        assert distribution.describe()
        assert distribution.describe_range()


class Unfinished(Distribution):
    unfinished: int


def test_unsupported_distributions_are_refused_for_the_generators_of_r():
    for distribution in (Integer(integer=(1, 2)), Normal(normal=(0, 1)), Choice(choice=[1])):
        distribution.check_draws_as_r()
    with pytest.raises(ValueError, match="min and max are not valid for R's generators"):
        Normal(normal=(0, 1), max=1).check_draws_as_r()
    with pytest.raises(ValueError, match="distribution 'unfinished' is not valid for R's generator"):
        Unfinished(unfinished=1).check_draws_as_r()

"""Paired tests compared with SciPy, sizes of networks compared with Keras, and the support of candidates."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gamtune.config.settings import make_spec
from gamtune.data.arrays import Prepared
from gamtune.learners.mlp.layers import MAXOUT_PIECES
from gamtune.learners.mlp.network import build_network
from gamtune.results.dataset import DatasetInfo
from gamtune.selection.one_standard_error import Sized, smallest_within
from gamtune.selection.paired_tests import bootstrap_interval, mcnemar, mean_interval, paired_t
from gamtune.selection.size import PIECES, count_weights
from gamtune.selection.support import distances, support

ERRORS = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=10)


@given(ERRORS)
def test_the_paired_t_test_agrees_with_scipy(pairs):
    first, second = zip(*pairs, strict=True)
    result = paired_t(first, second)
    expected = stats.ttest_rel(first, second)
    assert result.difference == pytest.approx(np.mean(first) - np.mean(second), abs=1e-12)
    if np.std(np.subtract(first, second)) > 1e-9:
        assert result.p == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)
        low, high = expected.confidence_interval()
        assert (result.low, result.high) == pytest.approx((low, high), abs=1e-9)


def test_one_seed_gives_a_difference_without_interval():
    result = paired_t([0.5], [0.3])
    assert (result.difference, result.low, result.high, result.p) == (pytest.approx(0.2), None, None, None)
    assert mean_interval([0.5]) == bootstrap_interval([0.5]) == (None, None)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_mcnemar_counts_the_samples_that_only_one_model_classifies_correctly(rows):
    first, second = np.array(rows).T
    result = mcnemar(first, second)
    assert (result.only_first, result.only_second) == (np.sum(first > second), np.sum(second > first))
    discordant = result.only_first + result.only_second
    tail = stats.binom.cdf(min(result.only_first, result.only_second), discordant, 0.5)
    assert result.p == pytest.approx(min(1, 2 * tail))


def test_the_bootstrap_interval_agrees_with_enumeration_of_all_resamples():
    values = [0.1, 0.2, 0.6]
    means = [np.mean([a, b, c]) for a in values for b in values for c in values]
    low, high = bootstrap_interval(values)
    assert min(means) - 1e-12 <= low <= np.quantile(means, 0.12)  # steps of 1/27 in the tails
    assert np.quantile(means, 0.88) <= high <= max(means) + 1e-12


@pytest.mark.parametrize(("activation", "neurons"), [("relu", [20, 30]), ("maxout", [8]), ("tanh", [5, 6, 7])])
def test_the_size_of_a_network_is_its_number_of_parameters(digits, activation, neurons):
    data = Prepared.open(digits)
    spec = make_spec({"neurons": neurons, "activation": activation}, 1)
    network = build_network(spec, data)
    held = sum(int(np.prod(variable.shape)) for variable in network.raw.trainable_variables)
    assert count_weights(spec, DatasetInfo.read(digits)) == held
    assert PIECES["maxout"] == MAXOUT_PIECES


def test_the_one_standard_error_rule_selects_the_smallest_network_and_then_the_better():
    rows = [Sized("a", 0.05, 100), Sized("b", 0.055, 10), Sized("c", 0.052, 10), Sized("d", 0.07, 1)]
    assert smallest_within(rows, 0.01).name == "c"
    assert smallest_within(rows, 0).name == "a"


def specs(*settings):
    return [make_spec({"neurons": [20], **each}, 1) for each in settings]


def test_a_setting_outside_the_range_tried_is_reported_with_the_range():
    rows = specs(*({"l1": l1, "rho": 0.95, "activation": "relu"} for l1 in (0.001, 0.002, 0.004)))
    (candidate,) = specs({"l1": 1e-10, "rho": 0.99, "activation": "tanh"})
    lines = {line.parameter: line for line in support("a", candidate, rows)}
    assert lines["l1"].warning == "l1 1e-10 is below the range tried (0.001 to 0.004)"
    assert lines["rho"].warning == "rho 0.99 is above the only value tried (0.95)"
    assert lines["activation"].warning == "activation tanh was not tried"
    (inside,) = specs({"l1": 0.002, "rho": 0.95, "activation": "relu"})
    (line,) = support("a", inside, rows)
    assert (line.parameter, line.quantile, line.warning) == ("l1", pytest.approx(2 / 3), "")


def test_distances_are_fractions_of_the_ranges_tried():
    rows = specs(*({"l1": l1, "l2": l2} for l1, l2 in ((0, 0), (0.01, 0), (0, 0.1), (0.01, 0.1))))
    candidates = specs({"l1": 0.005, "l2": 0.05}, {"l1": 0.01, "l2": 0.1}, {"l1": 0.02, "l2": 0.1})
    near, usual = distances(dict(zip("abc", candidates, strict=True)), rows)
    assert near == pytest.approx({"a": np.sqrt(0.5), "b": 0, "c": 1})
    assert usual == pytest.approx(1)


def test_distances_of_logarithmic_columns_use_logarithms():
    rows = specs(*({"l1": l1} for l1 in (1e-5, 1e-3, 1e-1)))
    candidates = specs({"l1": 1e-4}, {"l1": 1e-6}, {"l1": 0.0})
    near, usual = distances(dict(zip("abc", candidates, strict=True)), rows, ["l1"])
    assert (near["a"], near["b"], usual) == (pytest.approx(1 / 4), pytest.approx(1 / 4), pytest.approx(1 / 2))
    assert near["c"] > 10  # 0 is below every order of magnitude


def test_identical_configurations_have_no_distance():
    rows = specs({"l1": 0.1}, {"l1": 0.1})
    assert distances({"a": rows[0]}, rows) == ({"a": 0.0}, 0.0)


def test_different_texts_have_distance_one():
    rows = specs({"activation": "relu"}, {"activation": "tanh"})
    near, usual = distances({"a": specs({"activation": "elu"})[0]}, rows)
    assert (near["a"], usual) == (pytest.approx(np.sqrt(0.5)), pytest.approx(1))

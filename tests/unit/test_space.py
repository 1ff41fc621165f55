import csv
import io
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gamtune.config.distributions import Beta, Choice, Integer, LogUniform, Normal, Uniform
from gamtune.config.errors import ConfigError
from gamtune.space.draws import random_rows, unit_draws
from gamtune.space.grid import grid_rows
from gamtune.space.table import build_table, table_csv

SPACE = {
    "depth": Integer(integer=(1, 5)),
    "neurons": Integer(integer=(20, 600), per="depth"),
    "l1": Uniform(uniform=(0, 0.01)),
    "hidden_dropout": Beta(beta=(1.5, 1), scale=0.5, per="depth"),
}


def draw(space, draws, seed=1):
    return list(random_rows(space, draws, seed, depth=None))


@given(st.integers(0, 2**31), st.integers(1, 40), st.integers(1, 40))
def test_more_draws_leave_the_first_ones_as_they_are(seed, few, more):
    assert draw(SPACE, few + more, seed)[:few] == draw(SPACE, few, seed)


def test_widening_one_range_redraws_that_parameter_alone():
    wider = SPACE | {"l1": Uniform(uniform=(0, 0.02))}
    for old, new in zip(draw(SPACE, 50), draw(wider, 50), strict=True):
        assert {**old, "l1": None} == {**new, "l1": None}
        assert old["l1"] != new["l1"]


def test_deeper_networks_keep_the_draws_of_the_layers_that_were_there():
    one = draw(SPACE | {"depth": Choice(choice=[2])}, 20)
    two = draw(SPACE | {"depth": Choice(choice=[4])}, 20)
    assert [row["neurons"] for row in one] == [row["neurons"][:2] for row in two]


def test_a_further_parameter_redraws_no_other():
    further = draw({"rho": Uniform(uniform=(0.9, 1)), **SPACE}, 30)
    assert [{name: row[name] for name in SPACE} for row in further] == draw(SPACE, 30)


@given(st.integers(0, 1000))
def test_a_per_layer_vector_is_as_long_as_the_row_is_deep(seed):
    for row in draw(SPACE, 20, seed):
        assert len(row["neurons"]) == len(row["hidden_dropout"]) == row["depth"]
        assert all(20 <= width <= 600 for width in row["neurons"])
        assert all(0 <= rate <= 0.5 for rate in row["hidden_dropout"])


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


def test_integers_and_choices_are_drawn_equally_often():
    depths = Integer(integer=(1, 5)).quantile(unit_draws(1, "depth", 10_000))
    assert {depths.count(depth) // 100 for depth in range(1, 6)} <= set(range(18, 23))
    chosen = Choice(choice=["relu", [1, 2], 0.5]).quantile(unit_draws(1, "x", 9000))
    assert min(chosen.count(value) for value in ("relu", [1, 2], 0.5)) > 2800


def test_parameters_do_not_share_their_random_numbers():
    assert abs(np.corrcoef(unit_draws(1, "l1", 2000), unit_draws(1, "l2", 2000))[0, 1]) < 0.1
    assert abs(np.corrcoef(unit_draws(1, "n", 2000), unit_draws(1, "n", 2000, layer=1))[0, 1]) < 0.1


def test_the_grid_of_the_lecture_has_its_18_rows_in_the_order_of_expand_grid(make_study):
    study = make_study(
        search={"strategy": "grid"}, space={"depth": [1, 2, 4], "epochs": [50, 100], "l1": [0.001, 0.01, 0.05]}
    )
    rows = [(row.spec.depth, row.spec.epochs, row.spec.l1) for row in build_table(study)]
    assert rows == [(d, e, p) for p in (0.001, 0.01, 0.05) for e in (50, 100) for d in (1, 2, 4)]


@given(st.permutations([("depth", [1, 2]), ("l1", [0.0, 0.1]), ("epochs", [3, 4])]))
def test_the_order_of_a_grid_never_changes_ids(factors):
    from gamtune.config.load import parse_study

    raw = {"study": "g", "data": {"source": "digits"}, "search": {"strategy": "grid"}, "space": dict(factors)}
    ids = {row.spec.trial for row in build_table(parse_study(raw, "g"))}
    raw["space"] = {"depth": [2, 1], "l1": [0.1, 0.0], "epochs": [4, 3]}
    assert ids == {row.spec.trial for row in build_table(parse_study(raw, "g"))}


def test_a_condition_leaves_a_parameter_out_of_the_rows_it_does_not_hold_in():
    space = {
        "optimizer": Choice(choice=["adadelta", "sgd"]),
        "rho": Uniform(uniform=(0.9, 1), when={"optimizer": "adadelta"}),
        "momentum": Uniform(uniform=(0, 1), when={"optimizer": ["sgd"]}),
    }
    for row in draw(space, 40):
        assert ("rho" in row) == (row["optimizer"] == "adadelta")
        assert ("momentum" in row) == (row["optimizer"] == "sgd")
    levels = {"optimizer": space["optimizer"], "rho": Choice(choice=[0.9, 0.95], when={"optimizer": "adadelta"})}
    assert sum("rho" not in row for row in grid_rows(levels)) == 2  # two equal rows: one trial


def test_identical_rows_are_one_trial(make_study):
    study = make_study(search={"strategy": "manual", "rows": [{"l1": 0.1}, {"l1": 1e-1}, {"l1": 0.2}]}, space=None)
    assert [row.name for row in build_table(study)] == ["manual_1", "manual_3"]


def test_replicates_are_one_trial_a_weight_seed(make_study):
    rows = build_table(make_study(search__replicates=3))
    assert len({row.spec.trial for row in rows}) == 30
    assert [row.spec.weight_seed for row in rows[:3]] == [1, 2, 3]


def test_the_table_has_a_column_a_parameter_and_the_derived_ones(make_study):
    rows = list(csv.DictReader(io.StringIO(table_csv(make_study()))))
    assert len(rows) == 10
    for row in rows:
        neurons = [int(value) for value in row["neurons"].split()]
        assert (len(neurons), sum(neurons)) == (int(row["depth"]), int(row["sum_neurons"]))
        rates = [float(rate) for rate in row["hidden_dropout"].split()]
        assert statistics.fmean(rates) == pytest.approx(float(row["mean_hidden_dropout"]))
    assert list(rows[0]) == [
        "trial", "name", "replicate", *SPACE_COLUMNS, "sum_neurons", "mean_hidden_dropout",
    ]  # fmt: skip


SPACE_COLUMNS = ["depth", "neurons", "l1", "hidden_dropout", "rho"]


def test_rows_of_a_csv_file_are_rows_by_hand(tmp_path, make_study):
    file = tmp_path / "rows.csv"
    file.write_text("name,neurons,l1,activation\nwide,300 200,0.001,tanh\n,50,,\n")
    rows = build_table(make_study(search={"strategy": "manual", "rows": str(file)}, space=None))
    assert [row.name for row in rows] == ["wide", "manual_2"]
    assert rows[0].spec.neurons == (300, 200)
    assert (rows[0].spec.activation, rows[1].spec.activation, rows[1].spec.l1) == ("tanh", "relu", 0.0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("l1,neuron\n1,2\n", "column 'neuron': unknown parameter, did you mean 'neurons'?"),
        ("l1\nx\n", "row 1, column 'l1': got 'x', expected a number of at least 0"),
        ("l1\n", "holds no row"),
        ("l1,l2\n1\n", "row 1: more or fewer cells than columns"),
        ("l1\n1 2\n", "row 1, column 'l1': got '1 2'"),
        ("l1\n-1\n", "row manual_1, l1: got -1, expected a number of at least 0"),
    ],
)
def test_a_faulty_csv_of_rows_is_answered_with_row_and_column(tmp_path, make_study, content, message):
    file = tmp_path / "rows.csv"
    file.write_text(content)
    study = make_study(search={"strategy": "manual", "rows": str(file)}, space=None)
    with pytest.raises(ConfigError) as caught:
        build_table(study)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"l1": {"uniform": [0, 1]}}, "space.l1: a grid needs levels"),
        ({"depth": [1, 2], "neurons": {"integer": [1, 2], "per": "depth"}}, "space.neurons.per: a grid draws nothing"),
        ({"epochs": {"integer": [1, 1000]}, "batch_size": {"integer": [1, 1000]}}, "this grid has 1000000 rows"),
    ],
)
def test_a_grid_that_cannot_be_listed_is_refused(make_study, space, message):
    with pytest.raises(ConfigError) as caught:
        build_table(make_study(search={"strategy": "grid"}, space=space))
    assert message in str(caught.value)


def test_a_per_layer_parameter_without_its_length_is_refused(make_study):
    with pytest.raises(ConfigError, match=r"space.neurons.per: no depth to follow; add depth to space or to training"):
        build_table(make_study(space={"neurons": {"integer": [1, 2], "per": "depth"}}))
    study = make_study(space={"neurons": {"integer": [1, 20], "per": "depth"}}, training={"depth": 3})
    assert {row.spec.depth for row in build_table(study)} == {3}

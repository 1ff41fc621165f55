import csv
import io
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gamtune.config.settings import SETTINGS
from gamtune.errors import InputError
from gamtune.search.designs import SOBOL_PER_LAYER, SOBOL_SCALARS, latin_hypercube, random_design, sobol
from gamtune.search.distributions.beta import Beta
from gamtune.search.distributions.choice import Choice
from gamtune.search.distributions.ranges import Integer, Uniform
from gamtune.search.draws import drawn_rows
from gamtune.search.grid import grid_rows
from gamtune.search.table import build_table, table_csv

DESIGNS = {"random": random_design, "sobol": sobol, "latin_hypercube": latin_hypercube}
SPACE = {
    "depth": Integer(integer=(1, 5)),
    "neurons": Integer(integer=(20, 600), per="depth"),
    "l1": Uniform(uniform=(0, 0.01)),
    "hidden_dropout": Beta(beta=(1.5, 1), scale=0.5, per="depth"),
}


def draw(space, draws, seed=1, design="random"):
    return list(drawn_rows(space, draws, DESIGNS[design](seed, draws), depth=None))


def unit_draws(seed, name, draws, layer=0):
    return random_design(seed, draws)(name, layer)


@pytest.mark.parametrize("design", ["random", "sobol"])
@given(seed=st.integers(0, 2**31), few=st.integers(1, 40), more=st.integers(1, 40))
def test_more_draws_leave_the_first_ones_unchanged(design, seed, few, more):
    assert draw(SPACE, few + more, seed, design)[:few] == draw(SPACE, few, seed, design)


@pytest.mark.parametrize("design", DESIGNS)
def test_widening_one_range_redraws_only_that_hyperparameter(design):
    wider = SPACE | {"l1": Uniform(uniform=(0, 0.02))}
    for old, new in zip(draw(SPACE, 50, design=design), draw(wider, 50, design=design), strict=True):
        assert {**old, "l1": None} == {**new, "l1": None}
        assert old["l1"] != new["l1"]


@pytest.mark.parametrize("design", DESIGNS)
def test_deeper_networks_keep_the_draws_of_the_first_layers(design):
    one = draw(SPACE | {"depth": Choice(choice=[2])}, 20, design=design)
    two = draw(SPACE | {"depth": Choice(choice=[4])}, 20, design=design)
    assert [row["neurons"] for row in one] == [row["neurons"][:2] for row in two]


@pytest.mark.parametrize("design", DESIGNS)
def test_adding_a_hyperparameter_does_not_redraw_the_others(design):
    further = draw({"rho": Uniform(uniform=(0.9, 1)), **SPACE}, 30, design=design)
    assert [{name: row[name] for name in SPACE} for row in further] == draw(SPACE, 30, design=design)


@pytest.mark.parametrize("design", ["sobol", "latin_hypercube"])
@given(seed=st.integers(0, 2**31))
def test_space_filling_designs_have_one_point_in_every_slice(design, seed):
    column = DESIGNS[design](seed, 64)
    for name, layer in (("depth", 0), ("epsilon", 0), ("neurons", 0), ("hidden_dropout", 7)):
        assert sorted(np.floor(column(name, layer) * 64)) == list(range(64))


def test_a_sobol_sequence_has_one_point_in_every_elementary_cell():
    """Each of the 256 elementary cells of any shape contains one of 256 points; of random points, 37 % are empty."""
    column = DESIGNS["sobol"](5, 256)
    l1, rho = column("depth", 0), column("l1", 0)
    for wide in (1, 2, 4, 8, 16):
        cells = set(zip(np.floor(l1 * wide * 16 / 16), np.floor(rho * 256 / wide), strict=True))
        assert len(cells) == 256


def test_seeds_scramble_sobol_points_differently_and_evenly():
    firsts = [DESIGNS["sobol"](seed, 1)("l1", 0)[0] for seed in range(2000)]
    assert stats.kstest(firsts, "uniform").pvalue > 0.001


def test_every_hyperparameter_has_a_separate_sobol_dimension():
    assert {*SOBOL_SCALARS, *SOBOL_PER_LAYER} == set(SETTINGS)
    assert len(set(SOBOL_SCALARS)) == len(SOBOL_SCALARS)


def test_the_dimensions_of_the_sobol_sequence_never_change():
    column = DESIGNS["sobol"](1, 2)
    assert [round(float(column(name, layer)[1]), 6) for name, layer in (("depth", 0), ("neurons", 3))] == [
        0.738401,
        0.177329,
    ]


@given(st.integers(0, 1000))
def test_per_layer_hyperparameters_have_one_value_per_layer(seed):
    for row in draw(SPACE, 20, seed):
        assert len(row["neurons"]) == len(row["hidden_dropout"]) == row["depth"]
        assert all(20 <= width <= 600 for width in row["neurons"])
        assert all(0 <= rate <= 0.5 for rate in row["hidden_dropout"])


def test_hyperparameters_do_not_share_random_numbers():
    assert abs(np.corrcoef(unit_draws(1, "l1", 2000), unit_draws(1, "l2", 2000))[0, 1]) < 0.1
    assert abs(np.corrcoef(unit_draws(1, "n", 2000), unit_draws(1, "n", 2000, layer=1))[0, 1]) < 0.1


def test_the_grid_of_the_lecture_has_18_configurations_in_the_order_of_expand_grid(make_study):
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


def test_a_hyperparameter_is_left_out_if_its_condition_is_not_met():
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


def test_identical_configurations_are_one_trial(make_study):
    study = make_study(search={"strategy": "manual", "rows": [{"l1": 0.1}, {"l1": 1e-1}, {"l1": 0.2}]}, space=None)
    assert [row.name for row in build_table(study)] == ["manual_1", "manual_3"]


def test_each_weight_seed_of_a_configuration_is_one_trial(make_study):
    rows = build_table(make_study(search__replicates=3))
    assert len({row.spec.trial for row in rows}) == 30
    assert [row.spec.weight_seed for row in rows[:3]] == [1, 2, 3]


def test_the_table_has_one_column_per_hyperparameter_and_the_derived_ones(make_study):
    rows = list(csv.DictReader(io.StringIO(table_csv(make_study()))))
    assert len(rows) == 10
    for row in rows:
        neurons = [int(value) for value in row["neurons"].split()]
        assert (len(neurons), sum(neurons)) == (int(row["depth"]), int(row["sum_neurons"]))
        rates = [float(rate) for rate in row["hidden_dropout"].split()]
        assert statistics.fmean(rates) == pytest.approx(float(row["mean_hidden_dropout"]))
    assert list(rows[0]) == [
        "trial", "name", "replicate", "configuration", *SPACE_COLUMNS, "sum_neurons", "mean_hidden_dropout",
    ]  # fmt: skip


SPACE_COLUMNS = ["depth", "neurons", "l1", "hidden_dropout", "rho"]


def test_configurations_can_be_listed_in_a_csv_file(tmp_path, make_study):
    file = tmp_path / "rows.csv"
    file.write_text("name,neurons,l1,activation\nwide,300 200,0.001,tanh\n,50,,\n")
    rows = build_table(make_study(search={"strategy": "manual", "rows": str(file)}, space=None))
    assert [row.name for row in rows] == ["wide", "manual_2"]
    assert rows[0].spec.neurons == (300, 200)
    assert (rows[0].spec.activation, rows[1].spec.activation, rows[1].spec.l1) == ("tanh", "relu", 0.0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("l1,neuron\n1,2\n", "column 'neuron': unknown hyperparameter, did you mean 'neurons'?"),
        ("l1\nx\n", "row 1, column 'l1': got 'x', expected a number of at least 0"),
        ("l1\n", "has a header but no rows"),
        ("name\nwide\n", "has no column of a hyperparameter"),
        ("l1,l2\n1\n", "rows.csv: line 2 has 1 cell, but the header has 2"),
        ("l1\n1 2\n", "row 1, column 'l1': got '1 2'"),
        ("l1\n-1\n", "row manual_1, l1: got -1, expected a number of at least 0"),
    ],
)
def test_an_invalid_csv_file_is_reported_with_row_and_column(tmp_path, make_study, content, message):
    file = tmp_path / "rows.csv"
    file.write_text(content)
    study = make_study(search={"strategy": "manual", "rows": str(file)}, space=None)
    with pytest.raises(InputError) as caught:
        build_table(study)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("space", "message"),
    [
        (
            {"l1": {"uniform": [0, 1]}},
            "space.l1: a continuous distribution is not valid for strategy 'grid'; list the values",
        ),
        (
            {"depth": [1, 2], "neurons": {"integer": [1, 2], "per": "depth"}},
            "space.neurons.per: not valid for strategy 'grid'; list vectors",
        ),
        (
            {"epochs": {"integer": [1, 1000]}, "batch_size": {"integer": [1, 1000]}},
            "the grid has 1000000 configurations, at most 100000 are allowed",
        ),
    ],
)
def test_a_grid_of_continuous_distributions_or_too_many_values_is_refused(make_study, space, message):
    with pytest.raises(InputError) as caught:
        build_table(make_study(search={"strategy": "grid"}, space=space))
    assert message in str(caught.value)


def test_a_per_layer_hyperparameter_without_depth_is_refused(make_study):
    with pytest.raises(
        InputError, match=r"space.neurons.per: the number of layers is not set; add `depth` to space or training"
    ):
        build_table(make_study(space={"neurons": {"integer": [1, 2], "per": "depth"}}))
    study = make_study(space={"neurons": {"integer": [1, 20], "per": "depth"}}, training={"depth": 3})
    assert {row.spec.depth for row in build_table(study)} == {3}


def test_each_seed_is_one_configuration_named_after_it(make_study):
    seeds = [403, 10, -753102721]
    rows = build_table(make_study(search={"strategy": "random", "seeds": seeds}))
    assert [row.name for row in rows] == ["m_403", "m_10", "m_-753102721"]
    other = build_table(make_study(search={"strategy": "random", "seeds": seeds[::-1]}))
    assert [row.spec for row in other] == [row.spec for row in rows[::-1]]


@pytest.mark.parametrize("strategy", ["sobol", "latin_hypercube", "halving"])
def test_every_drawing_strategy_returns_the_requested_number_of_configurations(make_study, strategy):
    rows = build_table(make_study(search={"strategy": strategy, "draws": 12}))
    assert [row.name for row in rows] == [f"{strategy}_{number:03d}" for number in range(1, 13)]


def test_changing_from_random_to_rounds_keeps_the_drawn_configurations(make_study):
    random = build_table(make_study())
    rounds = build_table(make_study(search={"strategy": "tpe", "draws": 10, "seed": 1, "rounds": 2}))
    assert [row.spec for row in rounds] == [row.spec for row in random]


def test_configurations_of_other_studies_are_kept_once_with_their_origin(tmp_path, make_study):
    earlier = tmp_path / "earlier" / "summary.csv"
    earlier.parent.mkdir()
    table = list(csv.reader(io.StringIO(table_csv(make_study(search__replicates=2)))))
    with earlier.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*table[0], "status", "validation_mse"])
        writer.writerows([*row, "ok", 0.1] for row in table[1:])
    alone = build_table(make_study(search={"strategy": "manual", "keep": [str(earlier)]}, space=None))
    assert [row.spec for row in alone] == [row.spec for row in build_table(make_study())]
    assert alone[0].name == "earlier.random_001"
    beside = build_table(make_study(search__draws=3, search__keep=[str(earlier)]))
    assert [row.name for row in beside] == [
        "random_001", "random_002", "random_003", *(f"earlier.random_{number:03d}" for number in range(4, 11)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "summary.csv: cannot be read: No such file or directory"),
        ("trial,status\n1,ok\n", "summary.csv has no column of a hyperparameter"),
        ("l1\n", "summary.csv: has a header but no rows"),
        ("l1\nmany\n", "summary.csv, row 1, column 'l1': got 'many', expected a number of at least 0"),
    ],
)
def test_an_invalid_summary_of_another_study_is_reported(tmp_path, make_study, content, message):
    file = tmp_path / "summary.csv"
    if content is not None:
        file.write_text(content)
    with pytest.raises(InputError) as caught:
        build_table(make_study(search__keep=[str(file)]))
    assert message in str(caught.value)


def test_kept_configurations_with_equal_names_are_numbered(tmp_path, make_study):
    files = [tmp_path / part / "earlier" / "summary.csv" for part in ("a", "b")]
    for number, file in enumerate(files):
        file.parent.mkdir(parents=True)
        file.write_text(f"name,epochs\nrandom_001,{number + 1}\nrandom_001,{number + 3}\n")
    rows = build_table(make_study(search={"strategy": "manual", "keep": list(map(str, files))}, space=None))
    assert [(row.name, row.spec.epochs) for row in rows] == [
        ("earlier.random_001", 1), ("earlier.random_001_2", 3), ("earlier.random_001_3", 2), ("earlier.random_001_4", 4),
    ]  # fmt: skip


def test_replicates_and_folds_of_a_configuration_share_its_identifier(make_study):
    rows = build_table(
        make_study(search__replicates=2, search__draws=3, data={"source": "digits", "validation": {"folds": 2}})
    )
    assert len(rows) == 12
    assert len({row.configuration for row in rows}) == len({row.name for row in rows}) == 3
    assert all(row.configuration.isalnum() and row.configuration[0] == "c" for row in rows)


@pytest.mark.parametrize("strategy", ["tpe", "gp"])
def test_a_hyperparameter_that_only_later_rounds_may_use_is_accepted(make_study, strategy):
    space = {"optimizer": ["adam", "sgd"], "momentum": {"uniform": [0, 0.9], "when": {"optimizer": "sgd"}}}
    for seed in range(20):
        build_table(make_study(search={"strategy": strategy, "draws": 4, "rounds": 1, "seed": seed}, space=space))


def test_a_study_cannot_keep_its_own_summary(make_study):
    with pytest.raises(InputError, match="is a result of this study; copy it to another folder"):
        build_table(make_study(search__keep=["results/small/summary.csv"]))


def test_the_table_lists_rung_and_epochs(make_study):
    study = make_study(search={"strategy": "halving", "draws": 20, "eta": 3, "rungs": 3}, training={"epochs": 25})
    assert [study.stage_settings(stage)["epochs"] for stage in range(3)] == [3, 9, 25]
    assert study.search.stage_slots(20) == [6, 2]
    rows = list(csv.DictReader(io.StringIO(table_csv(study))))
    assert {(row["rung"], row["epochs"]) for row in rows} == {("0", "3")}

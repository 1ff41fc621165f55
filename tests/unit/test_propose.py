"""Stages that depend on results: rounds of TPE and GP, rungs of halving. Errors are simulated and no trial is run."""

import json
from dataclasses import replace

import pytest
from configs import CONFIG, changed
from hypothesis import given, settings
from hypothesis import strategies as st

from gamtune.config.load import parse_study
from gamtune.errors import InputError
from gamtune.results.slots_file import read_slot
from gamtune.search.propose import propose
from gamtune.search.table import build_table
from gamtune.search.trials import proposed_rows, search_trials
from gamtune.search.unit_cube import point_of, settings_at
from gamtune.slots import Outcome

CONDITIONAL = {
    "depth": {"integer": [1, 4]},
    "neurons": {"integer": [8, 64], "per": "depth"},
    "hidden_dropout": {"beta": [1.5, 1], "scale": 0.5, "per": "depth"},
    "activation": ["relu", "tanh", "elu"],
    "optimizer": ["adadelta", "sgd"],
    "rho": {"uniform": [0.9, 0.999], "when": {"optimizer": "adadelta"}},
    "momentum": {"uniform": [0, 0.9], "when": {"optimizer": "sgd"}},
    "l1": {"log_uniform": [1e-6, 1e-2]},
    "batch_size": 64,
}


def study_of(strategy, **search):
    return parse_study(
        changed(CONFIG, {"search": {"strategy": strategy, "seed": 1, **search}, "space": CONDITIONAL}), "x"
    )


def error(spec):
    """Return a simulated error, which is smallest for one width, one activation and a small l1."""
    return 0.02 + abs(spec.neurons[0] - 40) / 100 + 0.1 * (spec.activation != "tanh") + 3 * spec.l1


def outcomes(rows, failed=()):
    return [Outcome(row, None if number in failed else error(row.spec)) for number, row in enumerate(rows)]


@pytest.mark.parametrize("strategy", ["tpe", "gp"])
def test_a_round_proposes_new_configurations_reproducibly(strategy):
    study = study_of(strategy, draws=12, rounds=1)
    tried = outcomes(build_table(study), failed={3})
    slots = study.search.propose(study, 1, 8, tried)
    assert slots == study.search.propose(study, 1, 8, tried)
    trials = [slot.row.spec.trial for slot in slots]
    assert len({*trials, *(outcome.row.spec.trial for outcome in tried)}) == 20
    assert slots != study.search.propose(study, 2, 8, tried)


@pytest.mark.parametrize("strategy", ["tpe", "gp"])
def test_rounds_are_closer_to_the_optimum_than_random_draws(strategy):
    study = study_of(strategy, draws=20, rounds=5)
    tried = outcomes(build_table(study))
    for stage in range(1, 6):
        tried += outcomes([slot.row for slot in study.search.propose(study, stage, 8, tried)])
    drawn, proposed = (sorted(outcome.error for outcome in part) for part in (tried[:20], tried[20:]))
    assert proposed[len(proposed) // 2] < drawn[len(drawn) // 2] - 0.03
    assert proposed[0] < drawn[0]


@pytest.mark.parametrize("strategy", ["tpe", "gp"])
def test_proposed_configurations_respect_the_space_and_its_conditions(strategy):
    study = study_of(strategy, draws=12, rounds=1)
    for slot in study.search.propose(study, 1, 20, outcomes(build_table(study))):
        spec = slot.row.spec
        assert len(spec.neurons) == len(spec.hidden_dropout) <= 4
        assert all(8 <= width <= 64 for width in spec.neurons)
        assert all(0 <= rate <= 0.5 for rate in spec.hidden_dropout)
        assert (spec.rho is None) == (spec.optimizer == "sgd")
        assert (spec.momentum is None) == (spec.optimizer == "adadelta")
        assert 1e-6 <= spec.l1 <= 1e-2


@pytest.mark.parametrize("strategy", ["tpe", "gp"])
def test_an_exhausted_space_leaves_slots_empty_with_a_reason(strategy):
    raw = changed(CONFIG, {"space": {"depth": [1, 2], "activation": ["relu", "tanh"]}})
    study = parse_study(changed(raw, {"search": {"strategy": strategy, "draws": 3, "rounds": 1}}), "x")
    table = build_table(study)
    slots = study.search.propose(study, 1, 6, outcomes(table))
    filled = [slot for slot in slots if slot.row]
    assert len(table) + len(filled) == 4
    assert all("the space may contain no others" in slot.reason for slot in slots if not slot.row)


@pytest.mark.parametrize("strategy", ["tpe", "gp"])
def test_failed_trials_do_not_attract_proposals(strategy):
    """If all trials with tanh failed, it is not proposed more often than at random."""
    study = study_of(strategy, draws=30, rounds=1)
    table = build_table(study)
    failed = {number for number, row in enumerate(table) if row.spec.activation == "tanh"}
    slots = study.search.propose(study, 1, 12, outcomes(table, failed))
    assert sum(slot.row.spec.activation == "tanh" for slot in slots) <= 6
    none = study.search.propose(study, 1, 3, outcomes(table, set(range(30))))
    assert all(slot.row for slot in none)  # without results, random configurations are proposed


@pytest.mark.parametrize("strategy", ["tpe", "gp"])
def test_listed_configurations_outside_the_space_are_used_as_closely_as_possible(strategy):
    by_hand = [{"neurons": [500] * 7, "l1": 0.5}, {"neurons": 30, "depth": 1, "optimizer": "adam"}]
    study = study_of(strategy, draws=10, rounds=1, rows=by_hand)
    table = build_table(study)
    assert len(table) == 12
    assert all(slot.row for slot in study.search.propose(study, 1, 4, outcomes(table)))


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6))
def test_a_configuration_is_recovered_from_its_coordinates(seed):
    study = study_of("tpe", draws=3, rounds=1)
    search = study.search.model_copy(update={"seed": seed})
    for row in build_table(study.model_copy(update={"search": search})):
        point = point_of(study.space, row.spec)
        again = settings_at(study.space, lambda name, kinds, point=point: point[name], None)
        assert again["neurons"] == list(row.spec.neurons)
        assert again["activation"] == row.spec.activation
        assert again["hidden_dropout"] == pytest.approx(list(row.spec.hidden_dropout))
        assert set(again) == {*study.space} - ({"momentum"} if row.spec.optimizer == "adadelta" else {"rho"})


def test_the_best_trials_of_a_rung_advance_and_failed_ones_do_not(make_study):
    study = make_study(search={"strategy": "halving", "draws": 9, "rungs": 2}, training={"epochs": 6})
    rows = build_table(study)
    tried = [Outcome(row, None if number == 4 else abs(number - 4)) for number, row in enumerate(rows)]
    slots = study.search.propose(study, 1, 3, tried)
    assert [slot.row.name for slot in slots] == ["halving_004", "halving_006", "halving_003"]
    assert {slot.row.spec.epochs for slot in slots} == {6}
    assert slots[0].row.spec.trial != rows[3].spec.trial
    few = study.search.propose(study, 1, 3, [Outcome(row, None) for row in rows[:8]] + tried[8:])
    assert [bool(slot.row) for slot in few] == [True, False, False]
    assert few[2].reason == "only 1 trials of the previous rung finished"


def record(path, mse):
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"status": "ok", "metrics": {"validation": {"mse": mse}}} if mse is not None else {"status": "failed"}
    path.write_text(json.dumps(content))


def test_rounds_are_written_and_read_in_order(tmp_path):
    study = study_of("tpe", draws=6, rounds=2, per_round=3)
    table = build_table(study)
    with pytest.raises(InputError, match="missing; train the trials of the earlier stages first"):
        propose(study, 1, tmp_path)
    for number, row in enumerate(table):
        record(tmp_path / "trials" / row.spec.trial / "record.json", None if number == 2 else error(row.spec))
    propose(study, 1, tmp_path)
    first = (tmp_path / "rounds" / "1" / "slots.csv").read_text()
    for row, path in proposed_rows(tmp_path, ["rounds/1"]):
        record(path, error(row.spec))
    propose(study, 2, tmp_path)
    longer = study.model_copy(update={"search": study.search.model_copy(update={"rounds": 5})})
    propose(longer, 1, tmp_path)  # a further round does not change earlier ones
    assert (tmp_path / "rounds" / "1" / "slots.csv").read_text() == first
    rows = proposed_rows(tmp_path, longer.search.stages)
    assert [row.name for row, _ in rows] == [f"tpe_round_{stage}_{slot:02d}" for stage in (1, 2) for slot in (1, 2, 3)]
    assert [path.relative_to(tmp_path).as_posix() for _, path in rows][3] == "rounds/2/1/record.json"
    assert read_slot(tmp_path / "rounds/2/slots.csv", "1").spec == rows[3][0].spec
    assert [trial.cells["round"] for trial in search_trials(tmp_path, study.search.stages)] == ["1"] * 3 + ["2"] * 3


def test_the_gaussian_process_proposes_the_last_new_configurations(make_study):
    """With 10 of 12 configurations tried, the other two fill two slots, and the third slot stays empty."""
    study = make_study(
        space={"depth": {"integer": [1, 12]}}, search={"strategy": "gp", "draws": 30, "rounds": 1, "per_round": 3}
    )
    table = [row for row in build_table(study) if row.spec.depth not in (4, 9)]
    outcomes = [Outcome(row, (row.spec.depth - 6) ** 2 / 100) for row in table]
    slots = study.search.propose(study, 1, 3, outcomes)
    tried = {outcome.row.spec.depth for outcome in outcomes}
    left = set(range(1, 13)) - tried
    assert {slot.row.spec.depth for slot in slots if slot.row} == left
    assert [slot.row is None for slot in slots] == [number >= len(left) for number in range(3)]


@pytest.mark.parametrize("strategy", ["tpe", "gp"])
def test_choices_are_proposed_by_name(make_study, strategy):
    space = {"optimizer": ["adadelta", "sgd", "adam"], "activation": ["relu", "tanh", "elu"], "l1": {"uniform": [0, 1]}}
    study = make_study(space=space, search={"strategy": strategy, "draws": 12, "rounds": 1, "per_round": 4})
    outcomes = [Outcome(row, 0.5 if row.spec.optimizer == "adam" else 1.0) for row in build_table(study)]
    rows = [slot.row for slot in study.search.propose(study, 1, 4, outcomes)]
    assert all(row.spec.optimizer in space["optimizer"] for row in rows)
    assert "adam" in {row.spec.optimizer for row in rows}


@pytest.mark.parametrize(("strategy", "draws"), [("tpe", 1), ("tpe", 4), ("gp", 4)])
def test_proposals_use_the_results_of_the_smallest_number_of_draws(strategy, draws):
    study = study_of(strategy, draws=draws, rounds=1)
    tried = outcomes(build_table(study))
    failed = [Outcome(outcome.row, None) for outcome in tried]
    reverse = [replace(outcome, error=other.error) for outcome, other in zip(tried, tried[::-1], strict=True)]
    at_random = study.search.propose(study, 1, 3, failed)
    assert study.search.propose(study, 1, 3, tried) != at_random
    assert draws == 1 or (study.search.propose(study, 1, 3, reverse)) != study.search.propose(study, 1, 3, tried)

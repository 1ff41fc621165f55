import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamtune.config.settings import KERAS_OPTIMIZERS, SETTINGS, SettingError, make_spec
from gamtune.spec import Spec


@st.composite
def settings_of_a_network(draw):
    depth = draw(st.integers(1, 5))
    rate = st.floats(0, 0.99, allow_nan=False)
    return {
        "depth": depth,
        "neurons": draw(st.lists(st.integers(1, 1000), min_size=depth, max_size=depth)),
        "hidden_dropout": draw(st.one_of(rate, st.lists(rate, min_size=depth, max_size=depth))),
        "input_dropout": draw(rate),
        "l1": draw(st.floats(0, 1e6, allow_nan=False)),
        "optimizer": draw(st.sampled_from(list(KERAS_OPTIMIZERS))),
        "activation": draw(st.sampled_from(SETTINGS["activation"].choices)),
        "epochs": draw(st.integers(1, 1000)),
    }


@given(settings_of_a_network(), st.integers(0, 10**6))
def test_a_spec_is_read_from_json_with_the_same_id(settings, seed):
    spec = make_spec(settings, seed)
    assert Spec.from_json(spec.to_json()) == spec
    assert len(spec.trial) == 12
    assert int(spec.trial, 16) >= 0


@given(settings_of_a_network(), st.randoms())
def test_the_id_does_not_depend_on_the_order_of_settings(settings, random):
    items = list(settings.items())
    random.shuffle(items)
    assert make_spec(dict(items), 1).trial == make_spec(settings, 1).trial


@given(settings_of_a_network())
def test_another_seed_is_another_trial_of_the_same_configuration(settings):
    one, two = make_spec(settings, 1), make_spec(settings, 2)
    assert one.trial != two.trial
    assert one.without_seed() == two.without_seed()
    assert one.repeated(2, None) == two
    assert one.repeated(1, 3).trial != one.trial


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"l1": 0.1}, {"l1": 1e-1}),
        ({"l1": 0}, {"l1": 0.0}),
        ({"l1": -0.0}, {"l1": 0.0}),
        ({"epochs": 5}, {"epochs": 5.0}),
        ({"neurons": 30, "depth": 2}, {"neurons": [30, 30]}),
        ({"optimizer": "sgd", "rho": 0.9}, {"optimizer": "sgd"}),
        ({"optimizer": "adadelta"}, {"optimizer": "adadelta", "rho": 0.95, "learning_rate": 1}),
        ({"min_delta": 0.1}, {}),
        ({"network": "h2o"}, {"network": "h2o", "rho": 0.99, "epsilon": 1e-8}),
    ],
)
def test_equivalent_settings_have_the_same_id(one, other):
    assert make_spec(one, 1).trial == make_spec(other, 1).trial


def test_the_id_of_a_known_spec_never_changes():
    spec = make_spec({"depth": 2, "neurons": [30, 20], "l1": 0.001, "patience": 5}, 7)
    assert json.loads(spec.to_json()) == {
        "activation": "relu", "batch_size": 32, "epochs": 25, "epsilon": 1e-6, "hidden_dropout": [0.0, 0.0],
        "input_dropout": 0.0, "l1": 0.001, "l2": 0.0, "learning_rate": 1.0, "min_delta": 0.0,
        "network": "keras", "neurons": [30, 20], "optimizer": "adadelta", "patience": 5, "rho": 0.95, "threads": 1, "weight_seed": 7,
    }  # fmt: skip
    assert spec.trial == "5ab02dbd3260"


@pytest.mark.parametrize(
    ("settings", "name", "message"),
    [
        ({"l1": -1}, "l1", "got -1, expected a number of at least 0"),
        ({"l1": "x"}, "l1", "got 'x', expected a number of at least 0"),
        ({"l1": float("nan")}, "l1", "got nan"),
        ({"depth": True}, "depth", "got True"),
        ({"epochs": 2.5}, "epochs", "got 2.5, expected a whole number of at least 1"),
        ({"hidden_dropout": 1}, "hidden_dropout", "got 1, expected a number of at least 0 and below 1"),
        (
            {"depth": 3, "neurons": [1, 2]},
            "neurons",
            r"got \[1, 2\], expected one value for each of the 3 hidden layers",
        ),
        ({"activation": "gelu"}, "activation", "got 'gelu', expected one of relu, tanh, elu, maxout"),
        (
            {"network": "h2o", "optimizer": "adam"},
            "optimizer",
            "got 'adam', expected one of adadelta, sgd for network h2o",
        ),
        ({"lr": 1}, "lr", "got 1, expected one of network, depth"),
    ],
)
def test_an_invalid_setting_is_reported_with_its_value_and_the_expected_one(settings, name, message):
    with pytest.raises(SettingError, match=message) as caught:
        make_spec(settings, 1)
    assert caught.value.name == name

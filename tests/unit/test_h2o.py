"""H2O's metrics and network, compared with the output of H2O (tests/golden/h2o)."""

import json
import math
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from steps import Steps, dropout_masks

from gamtune.config.settings import SettingError, make_spec
from gamtune.data.arrays import Prepared
from gamtune.learners.mlp import h2o_update
from gamtune.learners.mlp.gradients import Gradients
from gamtune.learners.mlp.network import build_network
from gamtune.metrics.h2o import classification_metrics, confusion_matrix, regression_metrics

GOLDEN = Path(__file__).parents[1] / "golden" / "h2o"
METRICS = json.loads((GOLDEN / "metrics.json").read_text())
NETWORK = json.loads((GOLDEN / "network.json").read_text())


@pytest.mark.parametrize("case", METRICS["classification"])
def test_classification_metrics_equal_those_of_h2o(case):
    golden = METRICS["classification"][case]
    labels = np.array(golden["labels"])
    with np.errstate(divide="ignore"):
        scored = np.log(np.array(golden["probabilities"]))
    ours, counts = classification_metrics(scored, labels), confusion_matrix(scored, labels)
    for name, value in golden["metrics"].items():
        if name == "confusion_matrix":
            assert counts.tolist() == value
        else:
            assert ours[name] == pytest.approx(value, rel=1e-9, abs=1e-9), name
    assert {"mse", "rmse", "logloss"} <= set(golden["metrics"])
    assert ("confusion_matrix" in golden["metrics"]) == (case != "two classes")


@pytest.mark.parametrize("case", METRICS["regression"])
def test_regression_metrics_equal_those_of_h2o(case):
    golden = METRICS["regression"][case]
    ours = regression_metrics(np.array(golden["predictions"]), np.array(golden["targets"]))
    for name, value in golden["metrics"].items():
        assert ours[name] == pytest.approx(value, rel=1e-9, abs=1e-9), name
    assert set(golden["metrics"]) == set(ours)


def approximate_root(ratio):
    """Return H2O's approximate square root (water.util.MathUtils.approxSqrt), which has an error of up to 5 %."""
    if ratio.shape.rank == 2:
        bits = tf.bitwise.right_shift(tf.bitcast(ratio, tf.int32), 1)
        return tf.bitcast(532483686 + bits, tf.float32)
    bits = tf.bitwise.right_shift(tf.bitcast(tf.cast(ratio, tf.float64), tf.int64), tf.constant(32, tf.int64))
    bits = tf.bitwise.left_shift(bits + 1072632448, tf.constant(31, tf.int64))
    return tf.cast(tf.bitcast(bits, tf.float64), tf.float32)


SETTINGS = {
    "sgd": {"optimizer": "sgd", "learning_rate": 0.05, "rate_annealing": 0},
    "momentum": {"optimizer": "sgd", "learning_rate": 0.05, "rate_annealing": 0, "momentum": 0.5},
    "adadelta": {"optimizer": "adadelta", "rho": 0.9, "epsilon": 1e-4},
}


def learner(case):
    """Return a function that trains on the golden samples in a given order and returns all weights."""
    task, activation, optimizer = case.split()
    start = NETWORK[task]
    x = np.array(start["x"], np.float32)
    prepared = Prepared(Path(), "", x.shape[1], [0, 1, 2] if task == "classification" else None, 0.0, 1.0)
    activation = {"Rectifier": "relu", "Tanh": "tanh"}[activation]
    widths = [len(bias) for bias in start["biases"][:-1]]
    settings = {"network": "h2o", "neurons": widths, "activation": activation, "batch_size": 1}
    spec = make_spec(settings | NETWORK["penalties"] | SETTINGS[optimizer], 1)
    steps = Steps(spec, prepared)
    targets = np.array(start["y"], np.int32 if task == "classification" else float)

    def learn(order):
        steps.load(flat(start))
        for number, row in enumerate(order):
            sample = x[row : row + 1], targets[row : row + 1]
            steps.update(steps.gradients(*sample, [None] * (spec.depth + 1)), number + 1, number)
        return steps.arrays()

    return learn


def flat(arrays):
    pairs = zip(arrays["weights"], arrays["biases"], strict=True)
    return [array for kernel, bias in pairs for array in (np.array(kernel).T, np.array(bias))]


def largest_difference(case, order):
    return max(
        np.abs(mine - theirs).max()
        for mine, theirs in zip(learner(case)(order), flat(NETWORK["cases"][case]), strict=True)
    )


# Found by trying all 90 positions of the two samples that differ from the other eight
ORDER_OF_THE_ENGINE = [0, 8, 0, 0, 0, 0, 0, 0, 0, 9]


@pytest.mark.parametrize("case", NETWORK["cases"])
def test_ten_samples_update_the_weights_as_in_h2o(case, monkeypatch):
    """Penalties, fast mode, ADADELTA of the bias and momentum equal H2O's exactly, given H2O's square root."""
    monkeypatch.setattr(h2o_update, "square_root", approximate_root)
    assert largest_difference(case, ORDER_OF_THE_ENGINE) < 5e-7


@pytest.mark.parametrize("case", [case for case in NETWORK["cases"] if "adadelta" in case])
def test_an_exact_square_root_differs_slightly_from_h2o(case):
    moved = max(
        np.abs(after - before).max()
        for after, before in zip(flat(NETWORK["cases"][case]), flat(NETWORK[case.split()[0]]), strict=True)
    )
    assert 1e-4 < largest_difference(case, ORDER_OF_THE_ENGINE) < 0.1 * moved


def classes(inputs=50, classes=10):
    return Prepared(Path(), "", inputs, list(range(classes)))


@pytest.mark.parametrize(
    ("activation", "biases"), [("relu", [0.5, 1, 1]), ("maxout", [0.5, 1, 1]), ("tanh", [0, 0, 0])]
)
def test_the_initial_weights_equal_those_of_h2o(activation, biases):
    spec = make_spec({"network": "h2o", "neurons": [40, 30, 20], "activation": activation}, 3)
    network = build_network(spec, classes())
    widths = [50, 40, 30, 20, 10]
    for layer, pieces in enumerate([*network.hidden, [network.output]]):
        reach = math.sqrt(6 / (widths[layer] + widths[layer + 1])) * (4 if layer == 3 else 1)
        for piece in pieces:
            kernel = piece.kernel.numpy()
            assert 0.95 * reach < np.abs(kernel).max() <= reach
            assert kernel.std() == pytest.approx(reach / math.sqrt(3), rel=0.1)
            assert (piece.bias.numpy() == ([*biases, 0][layer])).all()
    regression = build_network(spec, Prepared(Path(), "", 50, None, 0.0, 1.0))
    assert np.abs(regression.output.kernel.numpy()).max() < math.sqrt(6 / 21)


def test_dropout_rescales_hidden_outputs_only_in_scoring():
    spec = make_spec({"network": "h2o", "neurons": [40, 30], "input_dropout": 0.3, "hidden_dropout": [0.5, 0.2]}, 1)
    network = build_network(spec, classes())
    x = np.random.default_rng(1).normal(size=(20, 50)).astype(np.float32)
    plain = x
    for (layer,), scale in zip(network.hidden, (0.5, 0.8), strict=True):
        plain = np.maximum(plain @ layer.kernel.numpy() + layer.bias.numpy(), 0) * scale
    plain = plain @ network.output.kernel.numpy() + network.output.bias.numpy()
    assert np.asarray(network.raw(x)) == pytest.approx(plain, abs=1e-4)
    masks = dropout_masks([0.3, 0.5], [50, 40], 64, 1, 1, 0, rescaled=False)
    assert [set(np.unique(mask)) for mask in masks] == [{0.0, 1.0}, {0.0, 1.0}]


def test_the_exported_model_contains_the_penalties_of_h2o():
    network = build_network(make_spec({"network": "h2o", "neurons": [4], "l1": 0.1, "l2": 0.2}, 1), classes())
    weights = network.raw.get_weights()
    expected = sum(0.1 * np.abs(w).sum() + 0.1 * (w**2).sum() for w in weights)
    assert float(sum(network.raw.losses)) == pytest.approx(expected, rel=1e-5)
    assert isinstance(network.exported, keras.Model)


def test_the_step_of_sgd_decreases_with_the_number_of_samples():
    settings = {"network": "h2o", "neurons": [1], "optimizer": "sgd", "learning_rate": 0.5, "rate_annealing": 0.01}
    spec = make_spec(settings, 1)
    sizes = []
    for seen in (0, 100):
        steps = Steps(spec, classes(1, 2))
        before, ones = steps.arrays()[0], [tf.ones_like(variable) for variable in steps.weights]
        steps.update(Gradients(tf.zeros(1), ones, ones), 1, seen)
        sizes.append((before - steps.arrays()[0]).item())
    assert sizes == pytest.approx([0.5, 0.25], rel=1e-6)


@pytest.mark.parametrize("activation", ["relu", "maxout", "tanh"])
def test_a_batch_updates_the_weights_by_the_mean_of_its_sample_steps(activation):
    settings = {"network": "h2o", "neurons": [8, 6], "activation": activation, "optimizer": "sgd", "learning_rate": 1,
                "rate_annealing": 0, "l1": 0.1, "l2": 0.2}  # fmt: skip
    random = np.random.default_rng(1)
    x = random.normal(size=(12, 5)).astype(np.float32) * (random.random((12, 5)) > 0.3)
    y, spec = random.integers(3, size=12).astype(np.int32), make_spec(settings, 1)
    masks = [(random.random((12, width)) > 0.5).astype(np.float32) for width in (5, 8, 6)]

    def step(rows):
        steps = Steps(spec, classes(5, 3))
        before = steps.arrays()
        steps.update(steps.gradients(x[rows], y[rows], [tf.constant(mask[rows]) for mask in masks]), 1, 0)
        return [after - old for after, old in zip(steps.arrays(), before, strict=True)]

    whole, single = step(np.arange(12)), [step([row]) for row in range(12)]
    for together, alone in zip(whole, zip(*single, strict=True), strict=True):
        assert together == pytest.approx(np.mean(alone, axis=0), abs=1e-6)


def test_defaults_equal_those_of_h2o_and_adam_is_refused():
    spec = make_spec({"network": "h2o"}, 1)
    assert (spec.optimizer, spec.learning_rate, spec.rho, spec.epsilon) == ("adadelta", 1.0, 0.99, 1e-8)
    sgd = make_spec({"network": "h2o", "optimizer": "sgd"}, 1)
    assert (sgd.learning_rate, sgd.momentum, sgd.rate_annealing) == (0.005, 0.0, 1e-6)
    with pytest.raises(SettingError, match="got 'adam', expected one of adadelta, sgd for network h2o"):
        make_spec({"network": "h2o", "optimizer": "adam"}, 1)

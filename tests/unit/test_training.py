"""Real trainings on the digits; each group of tests shares one process' TensorFlow."""

import json
import math
import re
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import one_thread  # noqa: F401
import pandas as pd
import pytest
import tensorflow as tf

from gamtune.config.data_section import Data
from gamtune.config.settings import make_spec
from gamtune.data.arrays import Part, Prepared
from gamtune.data.prepare import prepare
from gamtune.learners import trial
from gamtune.learners.mlp.dropout import dropout_factors
from gamtune.learners.mlp.gradients import gradients_of
from gamtune.learners.mlp.loop import DivergedError, row_order, train
from gamtune.learners.mlp.model_file import load_model, load_raw
from gamtune.learners.mlp.network import build_network
from gamtune.learners.mlp.objective import objective_of
from gamtune.learners.mlp.optimizers import build_update
from gamtune.learners.mlp.scoring import score
from gamtune.learners.mlp.tensors import shared_tensor
from gamtune.learners.trial import run_trial
from gamtune.spec import Spec

OPTIMIZERS = [
    {"optimizer": "adadelta", "rho": 0.95, "epsilon": 1e-6},
    {"optimizer": "sgd", "learning_rate": 0.05},
    {"optimizer": "sgd", "learning_rate": 0.05, "momentum": 0.5},
    {"optimizer": "adam", "learning_rate": 0.002},
]
H2O_OPTIMIZERS = [{"network": "h2o", **settings} for settings in OPTIMIZERS[:3]]
ANNEALED = {"optimizer": "sgd", "learning_rate": 0.05, "rate_annealing": 1e-3}
NETWORKS = {
    "plain": {},
    "regularised": {"input_dropout": 0.1, "hidden_dropout": [0.2, 0.3], "l1": 1e-4, "l2": 1e-3},
    "l1 alone": {"l1": 1e-3, "activation": "tanh", "hidden_dropout": [0, 0.5]},
    "l2 alone": {"l2": 1e-3, "activation": "elu", "input_dropout": 0.2},
    "maxout": {"activation": "maxout", "hidden_dropout": [0.2, 0], "l2": 1e-4},
    "smoothed labels": {"label_smoothing": 0.1, "hidden_dropout": [0.2, 0.3]},
}


@pytest.fixture(scope="module")
def parts(digits):
    data = Prepared.open(digits)
    train_part = data.part("train")
    return Part(train_part.x[:300], train_part.y[:300]), data.part("validation")


@pytest.fixture(scope="module")
def few_digits(tmp_path_factory):
    """The digits with a fifth of the usual training samples, for facts that do not depend on their number."""
    folder = tmp_path_factory.mktemp("few digits")
    prepare(Data(source="digits", test={"fraction": 0.7}), folder)
    return Prepared.open(folder / "digest.json")


def fit(spec, parts):
    data = classes(parts)
    network = build_network(spec, data)
    return network, train(network, spec, objective_of(data, spec.label_smoothing), *parts)


def classes(parts):
    return Prepared(Path(), "", parts[0].x.shape[1], list(range(10)))


def keras_model(spec, parts):
    """The same network with the same initial weights, its dropout masks given as further inputs."""
    network, inputs = build_network(spec, classes(parts)), parts[0].x.shape[1]
    widths = [inputs, *spec.neurons]
    entrance, masks = keras.Input((inputs,)), [keras.Input((width,)) for width in widths]
    flow = keras.layers.Multiply()([entrance, masks[0]])
    for pieces, mask in zip(network.hidden, masks[1:], strict=True):
        outputs = [piece(flow) for piece in pieces]
        flow = keras.layers.Maximum()(outputs) if len(outputs) > 1 else outputs[0]
        flow = keras.layers.Multiply()([flow, mask])
    return keras.Model([entrance, *masks], network.output(flow))


def keras_optimizer(spec):
    if spec.optimizer == "adadelta":
        return keras.optimizers.Adadelta(spec.learning_rate, rho=spec.rho, epsilon=spec.epsilon)
    if spec.optimizer == "sgd":
        return keras.optimizers.SGD(spec.learning_rate, momentum=spec.momentum)
    return keras.optimizers.Adam(spec.learning_rate, spec.beta_1, spec.beta_2, epsilon=spec.epsilon)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda settings: " ".join(map(str, settings.values())))
@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_the_loop_equals_a_plain_keras_training(parts, optimizer, network):
    spec = make_spec({"depth": 2, "neurons": [20, 15], "epochs": 3, "batch_size": 64, **optimizer, **network}, 5)
    ours, _ = fit(spec, parts)
    inputs = parts[0].x.shape[1]
    theirs = keras_model(spec, parts)
    theirs.compile(keras_optimizer(spec), keras.losses.CategoricalCrossentropy(True, spec.label_smoothing))
    rates, widths = [spec.input_dropout, *spec.hidden_dropout], [inputs, *spec.neurons]
    for epoch in range(1, 4):
        order = row_order(5, epoch, 300)
        for step, start in enumerate(range(0, 300, 64)):
            rows = order[start : start + 64]
            numbers = tf.constant(epoch, tf.int64), tf.constant(step, tf.int64)
            masks = dropout_factors(rates, widths, 64, 5, *numbers)
            given = [
                np.ones((len(rows), w)) if m is None else m[: len(rows)] for m, w in zip(masks, widths, strict=True)
            ]
            theirs.train_on_batch([parts[0].x[rows], *given], np.eye(10)[parts[0].y[rows]])
    for mine, plain in zip(ours.raw.get_weights(), theirs.get_weights(), strict=True):
        assert np.abs(mine - plain).max() < 1e-5


def test_the_loop_leaves_h2os_dropout_unscaled_and_anneals_by_the_rows_seen(parts):
    settings = {"network": "h2o", "optimizer": "sgd", "learning_rate": 0.05, "rate_annealing": 1e-3, "batch_size": 64}
    spec = make_spec({**settings, "neurons": [20, 15], "input_dropout": 0.1, "hidden_dropout": 0.4, "epochs": 2}, 5)
    ours, _ = fit(spec, parts)
    by_hand, objective = build_network(spec, classes(parts)), objective_of(classes(parts), 0.0)
    update = build_update(spec, by_hand.variables)
    rates, widths = [spec.input_dropout, *spec.hidden_dropout], [parts[0].x.shape[1], *spec.neurons]
    seen = steps = 0
    for epoch in (1, 2):
        order = row_order(5, epoch, 300)
        for step, start in enumerate(range(0, 300, 64)):
            rows = order[start : start + 64]
            numbers = tf.constant(epoch, tf.int64), tf.constant(step, tf.int64)
            kept = [mask[: len(rows)] for mask in dropout_factors(rates, widths, 64, 5, *numbers, False)]
            assert all(set(np.unique(mask)) == {0, 1} for mask in kept)
            steps += 1
            x, y = tf.constant(parts[0].x[rows]), tf.constant(parts[0].y[rows])
            gradients = gradients_of(by_hand, objective, x, y, kept, with_reach=True)
            update.step(gradients, tf.constant(steps, tf.int64), tf.constant(seen, tf.int64))
            seen += len(rows)
    for mine, plain in zip(ours.raw.get_weights(), by_hand.raw.get_weights(), strict=True):
        assert np.abs(mine - plain).max() < 1e-6


def test_dropout_drops_the_share_asked_for_and_scales_up_what_it_keeps():
    masks = dropout_factors([0.1, 0, 0.5], [200, 7, 300], 1000, 1, tf.constant(1, tf.int64), tf.constant(0, tf.int64))
    assert masks[1] is None
    for mask, rate, width in ((masks[0].numpy(), 0.1, 200), (masks[2].numpy(), 0.5, 300)):
        assert mask.shape == (1000, width)
        assert set(np.unique(mask)) == {0, np.float32(65536 / (65536 - round(rate * 65536)))}
        spread = math.sqrt(rate * (1 - rate) / mask.size)
        assert abs((mask == 0).mean() - rate) < 4 * spread
        assert np.abs((mask == 0).mean(axis=0) - rate).max() < 6 * math.sqrt(rate * (1 - rate) / 1000)
        assert mask.mean() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(("seed", "epoch", "step"), [(2, 1, 0), (1, 2, 0), (1, 1, 1)])
def test_another_seed_epoch_or_step_has_another_mask(seed, epoch, step):
    def mask(seed, epoch, step):
        return dropout_factors([0.5], [40], 50, seed, tf.constant(epoch, tf.int64), tf.constant(step, tf.int64))[0]

    first = mask(1, 1, 0).numpy()
    assert np.array_equal(first, mask(1, 1, 0).numpy())
    share = (first == mask(seed, epoch, step).numpy()).mean()
    assert abs(share - 0.5) < 0.05


def test_the_arrays_of_a_data_set_are_not_copied(digits):
    part = Prepared.open(digits).part("train")
    tensor = shared_tensor(part.x)
    part.x[0, 0] = 123  # private to this process: the file stays as it is
    assert tensor[0, 0].numpy() == 123
    assert Prepared.open(digits).part("train").x[0, 0] != 123
    unaligned = part.x[1:, 1:]
    assert np.array_equal(shared_tensor(unaligned).numpy(), unaligned)


@pytest.mark.parametrize("activation", ["relu", "tanh", "elu", "maxout"])
def test_every_activation_learns_the_digits(parts, activation):
    network, history = fit(make_spec({"neurons": [32], "activation": activation, "epochs": 8}, 1), parts)
    assert score(network.raw, parts[1], classes(parts))["accuracy"] > 0.75
    assert history.curves["train_logloss"][-1] < history.curves["train_logloss"][0] / 2


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(parts):
    settings = {"neurons": [16], "epochs": 2, "hidden_dropout": 0.5}
    one, again, other = (fit(make_spec(settings, seed), parts)[0].raw.get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))
    assert not np.array_equal(one[0], other[0])


def test_early_stopping_keeps_the_best_epochs_weights(parts):
    noisy = Part(parts[0].x[:40], parts[0].y[:40])
    settings = {"neurons": [64], "epochs": 60, "patience": 3, "optimizer": "adam", "learning_rate": 0.05}
    network, history = fit(make_spec(settings, 1), (noisy, parts[1]))
    curve = history.curves["validation_logloss"]
    assert history.epochs == history.best_epoch + 3 < 60
    assert curve[history.best_epoch - 1] == min(curve)
    assert score(network.raw, parts[1], classes(parts))["logloss"] == pytest.approx(min(curve), rel=1e-4)


def test_a_threshold_stops_sooner(parts):
    settings = {"neurons": [32], "epochs": 40, "patience": 2}
    _, patient = fit(make_spec(settings, 1), parts)
    _, strict = fit(make_spec({**settings, "min_delta": 0.5}, 1), parts)
    assert strict.epochs < patient.epochs


def test_without_early_stopping_all_epochs_are_trained(parts):
    _, history = fit(make_spec({"neurons": [8], "epochs": 4}, 1), parts)
    assert (history.epochs, history.best_epoch) == (4, 4)


def test_the_last_incomplete_batch_counts_too(parts):
    few = Part(parts[0].x[:33], parts[0].y[:33])
    network, _ = fit(make_spec({"neurons": [8], "epochs": 1, "batch_size": 32}, 1), (few, parts[1]))
    fewer, _ = fit(make_spec({"neurons": [8], "epochs": 1, "batch_size": 33}, 1), (few, parts[1]))
    assert not np.array_equal(network.raw.get_weights()[0], fewer.raw.get_weights()[0])


def test_the_validation_figures_of_the_history_are_those_of_the_scores(parts):
    network, history = fit(make_spec({"neurons": [16], "epochs": 2}, 1), parts)
    final = score(network.raw, parts[1], classes(parts))
    for metric in ("logloss", "mse", "accuracy"):
        assert history.curves[f"validation_{metric}"][-1] == pytest.approx(final[metric], rel=1e-4)


def test_a_diverging_training_says_in_which_epoch(parts):
    spec = make_spec({"neurons": [16], "epochs": 5, "optimizer": "sgd", "learning_rate": 1e30}, 1)
    with pytest.raises(DivergedError, match=r"not finite in epoch \d"):
        fit(spec, parts)


def test_a_diverging_training_keeps_the_epochs_that_were_sound(parts):
    spec = make_spec({"neurons": [16], "epochs": 300, "optimizer": "sgd", "learning_rate": 0.5, "l2": 4.2}, 1)
    with pytest.raises(DivergedError) as caught:
        fit(spec, parts)
    sound = caught.value.history
    failed_in = int(re.search(r"epoch (\d+)", str(caught.value))[1])
    assert sound["epoch"] == list(range(1, failed_in))
    assert len(sound["epoch"]) > 0
    assert np.isfinite([sound[name] for name in sound if name != "time"]).all()


def test_a_record_holds_all_that_is_known_of_a_training(tmp_path, digits):
    spec = make_spec({"neurons": [16], "epochs": 3, "patience": 2}, 4)
    data = Prepared.open(digits)
    run_trial(spec, data, "code", 1, tmp_path)
    record = json.loads((tmp_path / "record.json").read_text())
    assert (record["trial"], record["status"], record["reason"]) == (spec.trial, "ok", None)
    assert Spec.from_json(json.dumps(record["spec"])) == spec
    assert (record["data"], record["code"], record["attempt"]) == (data.digest, "code", 1)
    assert record["epochs_run"] == len(record["history"]["epoch"]) == len(record["history"]["time"]) == 3
    assert set(record["versions"]) == {"python", "tensorflow", "keras", "numpy"}
    assert record["finished"] >= record["history"]["time"][-1] >= record["started"]
    raw = load_raw(tmp_path / "model.keras")
    assert score(raw, data.part("validation"), data) == record["metrics"]["validation"]
    assert score(raw, data.part("train"), data) == record["metrics"]["train"]


def test_the_saved_model_gives_probabilities(tmp_path, digits):
    data = Prepared.open(digits)
    run_trial(make_spec({"neurons": [8], "epochs": 1, "activation": "maxout", "l1": 1e-4}, 4), data, "c", 1, tmp_path)
    probabilities = np.asarray(load_model(tmp_path / "model.keras")(data.part("test").x[:50]))
    assert probabilities.shape == (50, 10)
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_a_training_that_cannot_succeed_is_recorded_as_failed_without_a_model(tmp_path, digits):
    spec = make_spec({"neurons": [16], "optimizer": "sgd", "learning_rate": 1e30}, 4)
    run_trial(spec, Prepared.open(digits), "code", 1, tmp_path)
    record = json.loads((tmp_path / "record.json").read_text())
    assert record["status"] == "failed"
    assert record["reason"].startswith("DivergedError: the loss is not finite in epoch")
    assert record["metrics"] is None
    assert not (tmp_path / "model.keras").exists()
    assert math.isfinite(record["seconds"])


@pytest.mark.parametrize(
    "optimizer", [*OPTIMIZERS, *H2O_OPTIMIZERS, ANNEALED], ids=lambda settings: " ".join(map(str, settings.values()))
)
@pytest.mark.slow
@pytest.mark.parametrize("patience", [None, 2])
def test_a_continued_training_equals_one_that_never_stopped(tmp_path, few_digits, optimizer, patience):
    settings = {"neurons": [16, 12], "batch_size": 32, "patience": patience, **NETWORKS["regularised"], **optimizer}
    if optimizer.get("network") == "h2o":  # each of its layers is compiled for seconds
        settings |= {"neurons": [16], "hidden_dropout": [0.2]}
    data = few_digits
    spec = make_spec(settings | {"epochs": 7}, 3)
    folders = {name: tmp_path / name for name in ("at once", "first", "second", "third")}
    for folder in folders.values():
        folder.mkdir()
    run_trial(spec, data, "code", 1, folders["at once"])
    run_trial(replace(spec, epochs=2), data, "code", 1, folders["first"], ("state.npz",))
    run_trial(replace(spec, epochs=5), data, "code", 1, folders["second"], ("state.npz",), folders["first"])
    run_trial(spec, data, "code", 1, folders["third"], ("model.keras",), folders["second"])
    once, continued = (json.loads((folders[name] / "record.json").read_text()) for name in ("at once", "third"))
    for record in (once, continued):
        del record["history"]["time"], record["started"], record["finished"], record["seconds"]
    assert continued == once
    weights = [load_model(folders[name] / "model.keras").get_weights() for name in ("at once", "third")]
    for alone, joined in zip(*weights, strict=True):
        assert (alone == joined).all()
    assert {file.name for file in folders["first"].iterdir()} == {"record.json", "state.npz"}


def test_a_training_out_of_patience_does_not_go_on(tmp_path, digits):
    data, spec = Prepared.open(digits), make_spec({"neurons": [8], "epochs": 6, "patience": 1, "min_delta": 10.0}, 3)
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    run_trial(spec, data, "code", 1, first, ("model.keras", "state.npz"))
    run_trial(replace(spec, epochs=60), data, "code", 1, second, ("model.keras",), first)
    told = [json.loads((folder / "record.json").read_text()) for folder in (first, second)]
    assert [record["epochs_run"] for record in told] == [2, 2]
    assert told[0]["metrics"] == told[1]["metrics"]


@pytest.fixture(scope="module")
def values(tmp_path_factory):
    """A regression in units of thousands: 300 rows of 6 columns, two of which matter."""
    generator = np.random.default_rng(1)
    rows = pd.DataFrame(generator.normal(size=(300, 6)), columns=[f"x{number}" for number in range(6)])
    rows["price"] = 5000 + 1000 * rows["x0"] - 700 * np.abs(rows["x1"]) + generator.normal(scale=50, size=300)
    folder = tmp_path_factory.mktemp("values")
    rows.to_csv(folder / "rows.csv", index=False)
    prepare(Data(source="table", path=str(folder / "rows.csv"), target="price"), folder / "data")
    return folder / "data" / "digest.json"


@pytest.mark.parametrize("network", ["keras", "h2o"])
def test_a_regression_is_trained_and_scored_in_the_units_of_its_target(tmp_path, values, network):
    data = Prepared.open(values)
    spec = make_spec(
        {"network": network, "neurons": [32], "epochs": 60, "patience": 10, "rho": 0.95, "epsilon": 1e-6}, 2
    )
    run_trial(spec, data, "code", 1, tmp_path)
    record = json.loads((tmp_path / "record.json").read_text())
    figures = record["metrics"]["validation"]
    assert list(figures) == ["mse", "rmse", "mae", "r2"]
    assert figures["r2"] > 0.8
    assert 50 < figures["mae"] <= figures["rmse"] < 500
    assert set(record["history"]) == {"epoch", "time", "train_mse", "validation_mse", "validation_mae"}
    best = record["best_epoch"] - 1
    assert record["history"]["validation_mse"][best] == pytest.approx(figures["mse"], rel=1e-4)
    assert record["history"]["validation_mae"][best] == pytest.approx(figures["mae"], rel=1e-4)
    assert record["history"]["validation_mse"][best] == min(record["history"]["validation_mse"])
    part = data.part("validation")
    assert score(load_raw(tmp_path / "model.keras"), part, data) == figures
    exported = np.asarray(load_model(tmp_path / "model.keras")(part.x))[:, 0]
    assert np.mean((exported - part.y) ** 2) == pytest.approx(figures["mse"], rel=1e-12)


def test_a_regression_has_no_labels_to_smooth(tmp_path, values):
    run_trial(make_spec({"label_smoothing": 0.1}, 1), Prepared.open(values), "code", 1, tmp_path)
    record = json.loads((tmp_path / "record.json").read_text())
    assert record["status"] == "failed"
    assert record["reason"] == "ImpossibleError: label_smoothing: got 0.1, but a regression has no classes to smooth"


@pytest.mark.parametrize("error", [ValueError("shapes differ"), KeyError("x"), AssertionError("a bug")])
def test_a_bug_is_raised_and_is_no_failed_trial(tmp_path, digits, monkeypatch, error):
    def broken(*_):
        raise error

    monkeypatch.setattr(trial, "_train", broken)
    with pytest.raises(type(error)):
        run_trial(make_spec({"neurons": [8]}, 1), Prepared.open(digits), "code", 1, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "value"), [("digits", float("nan")), ("values", float("inf"))])
def test_a_prediction_that_is_not_finite_is_a_diverged_trial(tmp_path, request, monkeypatch, name, value):
    from gamtune.learners.mlp import scoring

    data = Prepared.open(request.getfixturevalue(name))
    sound = scoring.predict
    monkeypatch.setattr(scoring, "predict", lambda raw, x, data: np.full_like(sound(raw, x, data), value))
    run_trial(make_spec({"neurons": [8], "epochs": 2}, 1), data, "code", 1, tmp_path)
    record = json.loads((tmp_path / "record.json").read_text())
    assert record["reason"] == "DivergedError: a prediction of the train samples is not finite"
    assert record["epochs_run"] == 2


def test_more_neurons_than_an_array_can_have_are_a_failed_trial(tmp_path, digits):
    spec = replace(make_spec({"neurons": [8]}, 1), neurons=(10**30,))
    run_trial(spec, Prepared.open(digits), "code", 1, tmp_path)
    record = json.loads((tmp_path / "record.json").read_text())
    assert record["reason"] == "ImpossibleError: neurons: got 1e+30, expected at most 9.22e+18 per layer"


def test_a_regression_equals_a_plain_keras_training(values):
    data = Prepared.open(values)
    spec = make_spec({"neurons": [12], "epochs": 3, "batch_size": 50, "optimizer": "adam", "l2": 1e-3}, 5)
    ours, theirs = build_network(spec, data), build_network(spec, data).raw
    train(ours, spec, objective_of(data, 0.0), data.part("train"), data.part("validation"))
    theirs.compile(keras_optimizer(spec), "mean_squared_error")
    rows, mean, sd = data.part("train"), *data.target_scale
    for epoch in range(1, 4):
        order = row_order(5, epoch, len(rows.y))
        for start in range(0, len(order), 50):
            chosen = order[start : start + 50]
            theirs.train_on_batch(rows.x[chosen], (rows.y[chosen] - mean) / sd)
    for mine, plain in zip(ours.raw.get_weights(), theirs.get_weights(), strict=True):
        assert np.abs(mine - plain).max() < 1e-5

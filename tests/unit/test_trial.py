"""The records, states and models of trials on the digits and on a regression."""

import json
import math
from dataclasses import replace

import numpy as np
import one_thread  # noqa: F401
import pandas as pd
import pytest
from optimizers import ANNEALED, H2O_OPTIMIZERS, NETWORKS, OPTIMIZERS, keras_optimizer

from gamtune.config.data_section import Data
from gamtune.config.settings import make_spec
from gamtune.data.arrays import Prepared
from gamtune.data.prepare import prepare
from gamtune.learners import trial
from gamtune.learners.mlp.loop import sample_order, train
from gamtune.learners.mlp.model_file import load_model, load_raw
from gamtune.learners.mlp.network import build_network
from gamtune.learners.mlp.scoring import score
from gamtune.learners.trial import run_trial
from gamtune.spec import Spec


@pytest.fixture(scope="module")
def few_digits(tmp_path_factory):
    """Return the digits with a fifth of the usual training samples, for tests that do not depend on their number."""
    folder = tmp_path_factory.mktemp("few digits")
    prepare(Data(source="digits", test={"fraction": 0.7}), folder)
    return Prepared.open(folder / "dataset.json")


def test_a_record_describes_its_trial(tmp_path, digits):
    spec = make_spec({"neurons": [16], "epochs": 3, "patience": 2}, 4)
    data = Prepared.open(digits)
    run_trial(spec, data, "code", 1, tmp_path)
    record = json.loads((tmp_path / "record.json").read_text())
    assert (record["trial"], record["status"], record["reason"]) == (spec.trial, "ok", None)
    assert Spec.from_json(json.dumps(record["spec"])) == spec
    assert (record["data"], record["code"], record["attempt"]) == (data.fingerprint, "code", 1)
    assert record["epochs_run"] == len(record["history"]["epoch"]) == len(record["history"]["time"]) == 3
    assert set(record["versions"]) == {"python", "tensorflow", "keras", "numpy"}
    assert record["finished"] >= record["history"]["time"][-1] >= record["started"]
    raw = load_raw(tmp_path / "model.keras")
    assert score(raw, data.part("validation"), data) == record["metrics"]["validation"]
    assert score(raw, data.part("train"), data) == record["metrics"]["train"]


def test_the_saved_model_returns_probabilities(tmp_path, digits):
    data = Prepared.open(digits)
    run_trial(make_spec({"neurons": [8], "epochs": 1, "activation": "maxout", "l1": 1e-4}, 4), data, "c", 1, tmp_path)
    probabilities = np.asarray(load_model(tmp_path / "model.keras")(data.part("test").x[:50]))
    assert probabilities.shape == (50, 10)
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_a_diverging_trial_is_recorded_as_failed_without_a_model(tmp_path, digits):
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
def test_a_resumed_trial_equals_an_uninterrupted_one(tmp_path, few_digits, optimizer, patience):
    settings = {"neurons": [16, 12], "batch_size": 32, "patience": patience, **NETWORKS["regularised"], **optimizer}
    if optimizer.get("network") == "h2o":  # compiling a layer takes seconds
        settings |= {"neurons": [16], "hidden_dropout": [0.2]}
    data = few_digits
    spec = make_spec(settings | {"epochs": 7}, 3)
    folders = {name: tmp_path / name for name in ("uninterrupted", "first", "second", "third")}
    for folder in folders.values():
        folder.mkdir()
    run_trial(spec, data, "code", 1, folders["uninterrupted"])
    run_trial(replace(spec, epochs=2), data, "code", 1, folders["first"], ("state.npz",))
    run_trial(replace(spec, epochs=5), data, "code", 1, folders["second"], ("state.npz",), folders["first"])
    run_trial(spec, data, "code", 1, folders["third"], ("model.keras",), folders["second"])
    uninterrupted, resumed = (
        json.loads((folders[name] / "record.json").read_text()) for name in ("uninterrupted", "third")
    )
    for record in (uninterrupted, resumed):
        del record["history"]["time"], record["started"], record["finished"], record["seconds"]
    assert resumed == uninterrupted
    weights = [load_model(folders[name] / "model.keras").get_weights() for name in ("uninterrupted", "third")]
    for alone, joined in zip(*weights, strict=True):
        assert (alone == joined).all()
    assert {file.name for file in folders["first"].iterdir()} == {"record.json", "state.npz"}


def test_a_trial_that_has_stopped_early_is_not_resumed(tmp_path, digits):
    data, spec = Prepared.open(digits), make_spec({"neurons": [8], "epochs": 6, "patience": 1, "min_delta": 10.0}, 3)
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    run_trial(spec, data, "code", 1, first, ("model.keras", "state.npz"))
    run_trial(replace(spec, epochs=60), data, "code", 1, second, ("model.keras",), first)
    records = [json.loads((folder / "record.json").read_text()) for folder in (first, second)]
    assert [record["epochs_run"] for record in records] == [2, 2]
    assert records[0]["metrics"] == records[1]["metrics"]


@pytest.fixture(scope="module")
def values(tmp_path_factory):
    """Return a regression with values in the thousands: 300 samples with 6 inputs, two of which affect the target."""
    generator = np.random.default_rng(1)
    rows = pd.DataFrame(generator.normal(size=(300, 6)), columns=[f"x{number}" for number in range(6)])
    rows["price"] = 5000 + 1000 * rows["x0"] - 700 * np.abs(rows["x1"]) + generator.normal(scale=50, size=300)
    folder = tmp_path_factory.mktemp("values")
    rows.to_csv(folder / "rows.csv", index=False)
    prepare(Data(source="table", path=str(folder / "rows.csv"), target="price"), folder / "data")
    return folder / "data" / "dataset.json"


@pytest.mark.parametrize("network", ["keras", "h2o"])
def test_a_regression_is_trained_and_scored_in_the_units_of_its_target(tmp_path, values, network):
    data = Prepared.open(values)
    spec = make_spec(
        {"network": network, "neurons": [32], "epochs": 60, "patience": 10, "rho": 0.95, "epsilon": 1e-6}, 2
    )
    run_trial(spec, data, "code", 1, tmp_path)
    record = json.loads((tmp_path / "record.json").read_text())
    metrics = record["metrics"]["validation"]
    assert list(metrics) == ["mse", "rmse", "mae", "r2"]
    assert metrics["r2"] > 0.8
    assert 50 < metrics["mae"] <= metrics["rmse"] < 500
    assert set(record["history"]) == {"epoch", "time", "train_mse", "validation_mse", "validation_mae"}
    best = record["best_epoch"] - 1
    assert record["history"]["validation_mse"][best] == pytest.approx(metrics["mse"], rel=1e-4)
    assert record["history"]["validation_mae"][best] == pytest.approx(metrics["mae"], rel=1e-4)
    assert record["history"]["validation_mse"][best] == min(record["history"]["validation_mse"])
    part = data.part("validation")
    assert score(load_raw(tmp_path / "model.keras"), part, data) == metrics
    exported = np.asarray(load_model(tmp_path / "model.keras")(part.x))[:, 0]
    assert np.mean((exported - part.y) ** 2) == pytest.approx(metrics["mse"], rel=1e-12)


def test_label_smoothing_of_a_regression_is_a_failed_trial(tmp_path, values):
    run_trial(make_spec({"label_smoothing": 0.1}, 1), Prepared.open(values), "code", 1, tmp_path)
    record = json.loads((tmp_path / "record.json").read_text())
    assert record["status"] == "failed"
    assert record["reason"] == "ImpossibleError: label_smoothing: got 0.1, expected 0 for a regression"


@pytest.mark.parametrize("error", [ValueError("shapes differ"), KeyError("x"), AssertionError("a bug")])
def test_a_bug_is_raised_and_not_recorded_as_a_failed_trial(tmp_path, digits, monkeypatch, error):
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


def test_a_network_larger_than_an_array_is_a_failed_trial(tmp_path, digits):
    spec = replace(make_spec({"neurons": [8]}, 1), neurons=(10**30,))
    run_trial(spec, Prepared.open(digits), "code", 1, tmp_path)
    record = json.loads((tmp_path / "record.json").read_text())
    assert record["reason"] == "ImpossibleError: neurons: got 1e+30, expected at most 9.22e+18 per layer"


def test_a_regression_equals_a_plain_keras_training(values):
    data = Prepared.open(values)
    spec = make_spec({"neurons": [12], "epochs": 3, "batch_size": 50, "optimizer": "adam", "l2": 1e-3}, 5)
    ours, theirs = build_network(spec, data), build_network(spec, data).raw
    train(ours, spec, data, data.part("train"), data.part("validation"))
    theirs.compile(keras_optimizer(spec), "mean_squared_error")
    rows, mean, sd = data.part("train"), *data.target_scale
    for epoch in range(1, 4):
        order = sample_order(5, epoch, len(rows.y))
        for start in range(0, len(order), 50):
            chosen = order[start : start + 50]
            theirs.train_on_batch(rows.x[chosen], (rows.y[chosen] - mean) / sd)
    for mine, plain in zip(ours.raw.get_weights(), theirs.get_weights(), strict=True):
        assert np.abs(mine - plain).max() < 1e-5

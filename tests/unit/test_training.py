"""The training loop on the digits, compared with Keras."""

import math
import re
from pathlib import Path

import keras
import numpy as np
import one_thread  # noqa: F401
import pytest
from optimizers import NETWORKS, OPTIMIZERS, keras_optimizer
from steps import Steps, dropout_masks

from gamtune.config.settings import make_spec
from gamtune.data.arrays import Part, Prepared
from gamtune.learners.mlp.loop import DivergedError, sample_order, train
from gamtune.learners.mlp.network import build_network
from gamtune.learners.mlp.scoring import score
from gamtune.learners.mlp.tensors import shared_tensor


@pytest.fixture(scope="module")
def parts(digits):
    data = Prepared.open(digits)
    train_part = data.part("train")
    return Part(train_part.x[:300], train_part.y[:300]), data.part("validation")


def fit(spec, parts):
    data = classes(parts)
    network = build_network(spec, data)
    return network, train(network, spec, data, *parts)


def classes(parts):
    return Prepared(Path(), "", parts[0].x.shape[1], list(range(10)))


def keras_model(spec, parts):
    """Return the same network with the same initial weights, with dropout masks as additional inputs."""
    network, inputs = build_network(spec, classes(parts)), parts[0].x.shape[1]
    widths = [inputs, *spec.neurons]
    entrance, masks = keras.Input((inputs,)), [keras.Input((width,)) for width in widths]
    flow = keras.layers.Multiply()([entrance, masks[0]])
    for pieces, mask in zip(network.hidden, masks[1:], strict=True):
        outputs = [piece(flow) for piece in pieces]
        flow = keras.layers.Maximum()(outputs) if len(outputs) > 1 else outputs[0]
        flow = keras.layers.Multiply()([flow, mask])
    return keras.Model([entrance, *masks], network.output(flow))


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda settings: " ".join(map(str, settings.values())))
@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_the_loop_gives_the_weights_of_plain_keras(parts, optimizer, network):
    spec = make_spec({"depth": 2, "neurons": [20, 15], "epochs": 3, "batch_size": 64, **optimizer, **network}, 5)
    ours, _ = fit(spec, parts)
    inputs = parts[0].x.shape[1]
    theirs = keras_model(spec, parts)
    theirs.compile(keras_optimizer(spec), keras.losses.CategoricalCrossentropy(True, spec.label_smoothing))
    rates, widths = [spec.input_dropout, *spec.hidden_dropout], [inputs, *spec.neurons]
    for epoch in range(1, 4):
        order = sample_order(5, epoch, 300)
        for step, start in enumerate(range(0, 300, 64)):
            rows = order[start : start + 64]
            masks = dropout_masks(rates, widths, 64, 5, epoch, step)
            given = [
                np.ones((len(rows), w)) if m is None else m[: len(rows)] for m, w in zip(masks, widths, strict=True)
            ]
            theirs.train_on_batch([parts[0].x[rows], *given], np.eye(10)[parts[0].y[rows]])
    for mine, plain in zip(ours.raw.get_weights(), theirs.get_weights(), strict=True):
        assert np.abs(mine - plain).max() < 1e-5


def test_h2o_dropout_is_not_rescaled_and_the_rate_is_annealed_by_samples(parts):
    settings = {"network": "h2o", "optimizer": "sgd", "learning_rate": 0.05, "rate_annealing": 1e-3, "batch_size": 64}
    spec = make_spec({**settings, "neurons": [20, 15], "input_dropout": 0.1, "hidden_dropout": 0.4, "epochs": 2}, 5)
    ours, _ = fit(spec, parts)
    steps, number = Steps(spec, classes(parts)), 0
    rates, widths = [spec.input_dropout, *spec.hidden_dropout], [parts[0].x.shape[1], *spec.neurons]
    seen = 0
    for epoch in (1, 2):
        order = sample_order(5, epoch, 300)
        for step, start in enumerate(range(0, 300, 64)):
            rows = order[start : start + 64]
            kept = [mask[: len(rows)] for mask in dropout_masks(rates, widths, 64, 5, epoch, step, rescaled=False)]
            assert all(set(np.unique(mask)) == {0, 1} for mask in kept)
            number += 1
            steps.update(steps.gradients(parts[0].x[rows], parts[0].y[rows], kept), number, seen)
            seen += len(rows)
    for mine, plain in zip(ours.raw.get_weights(), steps.arrays(), strict=True):
        assert np.abs(mine - plain).max() < 1e-6


def test_dropout_drops_its_rate_and_rescales_the_kept_values():
    masks = dropout_masks([0.1, 0, 0.5], [200, 7, 300], 1000, 1, 1, 0)
    assert masks[1] is None
    for mask, rate, width in ((masks[0].numpy(), 0.1, 200), (masks[2].numpy(), 0.5, 300)):
        assert mask.shape == (1000, width)
        assert set(np.unique(mask)) == {0, np.float32(65536 / (65536 - round(rate * 65536)))}
        spread = math.sqrt(rate * (1 - rate) / mask.size)
        assert abs((mask == 0).mean() - rate) < 4 * spread
        assert np.abs((mask == 0).mean(axis=0) - rate).max() < 6 * math.sqrt(rate * (1 - rate) / 1000)
        assert mask.mean() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(("seed", "epoch", "step"), [(2, 1, 0), (1, 2, 0), (1, 1, 1)])
def test_the_dropout_mask_depends_on_seed_epoch_and_step(seed, epoch, step):
    def mask(seed, epoch, step):
        return dropout_masks([0.5], [40], 50, seed, epoch, step)[0]

    first = mask(1, 1, 0).numpy()
    assert np.array_equal(first, mask(1, 1, 0).numpy())
    share = (first == mask(seed, epoch, step).numpy()).mean()
    assert abs(share - 0.5) < 0.05


def test_the_arrays_of_a_data_set_are_not_copied(digits):
    part = Prepared.open(digits).part("train")
    tensor = shared_tensor(part.x)
    part.x[0, 0] = 123  # the mapping is private to this process, so the file does not change
    assert tensor[0, 0].numpy() == 123
    assert Prepared.open(digits).part("train").x[0, 0] != 123
    unaligned = part.x[1:, 1:]
    assert np.array_equal(shared_tensor(unaligned).numpy(), unaligned)


@pytest.mark.parametrize("activation", ["relu", "tanh", "elu", "maxout"])
def test_every_activation_function_learns_the_digits(parts, activation):
    network, history = fit(make_spec({"neurons": [32], "activation": activation, "epochs": 8}, 1), parts)
    assert score(network.raw, parts[1], classes(parts))["accuracy"] > 0.75
    assert history.curves["train_logloss"][-1] < history.curves["train_logloss"][0] / 2


def test_weights_are_determined_by_the_seed(parts):
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


def test_min_delta_stops_earlier(parts):
    settings = {"neurons": [32], "epochs": 40, "patience": 2}
    _, patient = fit(make_spec(settings, 1), parts)
    _, strict = fit(make_spec({**settings, "min_delta": 0.5}, 1), parts)
    assert strict.epochs < patient.epochs


def test_without_early_stopping_all_epochs_are_trained(parts):
    _, history = fit(make_spec({"neurons": [8], "epochs": 4}, 1), parts)
    assert (history.epochs, history.best_epoch) == (4, 4)


def test_the_last_incomplete_batch_is_trained(parts):
    few = Part(parts[0].x[:33], parts[0].y[:33])
    network, _ = fit(make_spec({"neurons": [8], "epochs": 1, "batch_size": 32}, 1), (few, parts[1]))
    fewer, _ = fit(make_spec({"neurons": [8], "epochs": 1, "batch_size": 33}, 1), (few, parts[1]))
    assert not np.array_equal(network.raw.get_weights()[0], fewer.raw.get_weights()[0])


def test_the_validation_metrics_of_the_history_equal_the_scores(parts):
    network, history = fit(make_spec({"neurons": [16], "epochs": 2}, 1), parts)
    final = score(network.raw, parts[1], classes(parts))
    for metric in ("logloss", "mse", "accuracy"):
        assert history.curves[f"validation_{metric}"][-1] == pytest.approx(final[metric], rel=1e-4)


def test_a_diverging_trial_reports_the_epoch(parts):
    spec = make_spec({"neurons": [16], "epochs": 5, "optimizer": "sgd", "learning_rate": 1e30}, 1)
    with pytest.raises(DivergedError, match=r"not finite in epoch \d"):
        fit(spec, parts)


def test_a_diverging_trial_keeps_the_history_before_the_error(parts):
    spec = make_spec({"neurons": [16], "epochs": 300, "optimizer": "sgd", "learning_rate": 0.5, "l2": 4.2}, 1)
    with pytest.raises(DivergedError) as caught:
        fit(spec, parts)
    sound = caught.value.history
    failed_in = int(re.search(r"epoch (\d+)", str(caught.value))[1])
    assert sound["epoch"] == list(range(1, failed_in))
    assert len(sound["epoch"]) > 0
    assert np.isfinite([sound[name] for name in sound if name != "time"]).all()

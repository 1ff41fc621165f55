"""Epoch graphs are shared by trials of an architecture, and a trial never depends on the trials before it."""

import json
import random
import re
import zipfile
from contextlib import nullcontext

import numpy as np
import one_thread  # noqa: F401
import pytest
from optimizers import ANNEALED, H2O_OPTIMIZERS, NETWORKS, OPTIMIZERS

from gamtune.config.data_section import Data
from gamtune.config.settings import make_spec
from gamtune.data.arrays import Prepared
from gamtune.data.prepare import prepare
from gamtune.learners import trial
from gamtune.learners.mlp import epoch_graph
from gamtune.learners.mlp.epoch_graph import Architecture
from gamtune.learners.mlp.objective import Classification
from gamtune.learners.trial import run_trial
from gamtune.results.record import MODEL, STATE

SMALL = {"epochs": 2, "batch_size": 64, "depth": 2}
ALL_OPTIMIZERS = [*OPTIMIZERS, *H2O_OPTIMIZERS, ANNEALED, {"network": "h2o", **ANNEALED}]
DIVERGING = {"optimizer": "sgd", "learning_rate": 1e30}


@pytest.fixture(scope="module")
def regression(tmp_path_factory):
    """Return a prepared regression with 90 samples."""
    folder = tmp_path_factory.mktemp("regression")
    generator = np.random.default_rng(1)
    x = generator.normal(size=(90, 3))
    lines = [f"{a},{b},{c},{100 + 30 * a - 10 * b * c}" for a, b, c in x]
    (folder / "data.csv").write_text("\n".join(["a,b,c,y", *lines]) + "\n")
    prepare(Data(source="table", path=str(folder / "data.csv"), target="y"), folder / "data")
    return folder / "data" / "dataset.json"


def specs(regression):
    """Return specifications for all optimizers and networks."""
    networks = {name: network for name, network in NETWORKS.items() if not (regression and name == "smoothed labels")}
    return [
        make_spec({**SMALL, "neurons": widths, **optimizer, **network}, 5)
        for number, optimizer in enumerate(ALL_OPTIMIZERS)
        for name, network in networks.items()
        for widths in ([[12, 9]] if regression else [[12, 9], [5, 30]])
        # every optimizer trains every network in the classification, and every second one in the regression
        if not regression or (number + [*networks].index(name)) % 2
    ]


def result(spec, data, folder, **more):
    """Return the record without times, and the layers (without memory addresses) and the weights of the model."""
    folder.mkdir(parents=True)
    run_trial(spec, data, "code", 1, folder, **more)
    record = json.loads((folder / "record.json").read_text())
    del record["started"], record["finished"], record["seconds"], record["history"]["time"]
    with zipfile.ZipFile(folder / MODEL) if record["metrics"] else nullcontext() as model:
        layers = re.sub(rb'"shared_object_id": \d+', b"", model.read("config.json")) if model else b""
        weights = model.read("model.weights.h5") if model else b""
    return json.dumps(record), layers, weights


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_a_trial_does_not_depend_on_the_trials_before_it(digits, regression, tmp_path, task, monkeypatch):
    data = Prepared.open(digits if task == "classification" else regression)
    trials = specs(task == "regression")
    diverging = make_spec({**SMALL, "neurons": [12, 9], **DIVERGING}, 1)
    alone, found = {}, {}
    for spec in trials:
        if spec.neurons == (12, 9):  # one graph per trial, as in a process of its own
            epoch_graph.epoch_graph.cache_clear()
        alone[spec.trial] = result(spec, data, tmp_path / "alone" / spec.trial)
    monkeypatch.setattr(trial, "CLEARED", 7)
    random.Random(1).shuffle(trials)
    epoch_graph.epoch_graph.cache_clear()
    for number, spec in enumerate(trials):
        if number % 10 == 0:
            assert "not finite" in result(diverging, data, tmp_path / "failed" / str(number))[0]
        found[spec.trial] = result(spec, data, tmp_path / "together" / spec.trial)
    assert len(found) == len(trials)
    assert found == alone


def test_a_resumed_trial_does_not_depend_on_the_trials_before_it(digits, tmp_path):
    data = Prepared.open(digits)
    settings = {**SMALL, "neurons": [12, 9], "optimizer": "adam", "hidden_dropout": 0.2, "patience": 5}
    short, whole = (make_spec({**settings, "epochs": epochs}, 1) for epochs in (2, 5))
    uninterrupted = result(whole, data, tmp_path / "whole")
    result(short, data, tmp_path / "short", leaves=(MODEL, STATE))
    result(make_spec({**settings, "neurons": [30, 4]}, 2), data, tmp_path / "other")
    resumed = result(whole, data, tmp_path / "resumed", earlier=tmp_path / "short")
    assert resumed == uninterrupted


def test_trials_of_other_widths_rates_and_batch_sizes_share_a_graph(digits, tmp_path, monkeypatch):
    traced = []
    trace = epoch_graph.EpochGraph._epoch
    monkeypatch.setattr(
        epoch_graph.EpochGraph, "_epoch", lambda graph, *arguments: traced.append(1) or trace(graph, *arguments)
    )
    epoch_graph.epoch_graph.cache_clear()
    data = Prepared.open(digits)
    common = {"epochs": 1, "depth": 2, "l1": 1e-4}
    for number, settings in enumerate([
        {"neurons": [8, 9], "hidden_dropout": 0.2},
        {"neurons": [30, 4], "hidden_dropout": [0.5, 0.1], "batch_size": 50, "rho": 0.9, "l1": 1e-3},
    ]):  # fmt: skip
        result(make_spec({**common, **settings}, number), data, tmp_path / str(number))
    assert len(traced) == 1
    result(make_spec({**common, "neurons": [8, 9]}, 1), data, tmp_path / "without dropout")
    assert len(traced) == 2


def test_a_graph_holds_no_weights_after_a_trial(digits, tmp_path):
    spec = make_spec({**SMALL, "neurons": [40, 50]}, 1)
    result(spec, Prepared.open(digits), tmp_path / "one")
    graph = epoch_graph.epoch_graph(Architecture.of(spec, Classification()))
    assert {variable.numpy().size for variable in (*graph.weights, *graph.slots)} == {0}

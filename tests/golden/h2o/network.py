"""Train H2O's network on ten samples, one at a time, and write network.json.

H2O trains on the samples in an order that it does not report. Eight of the ten samples are equal, so that only the
positions of the other two matter; the test finds them by trying all. Needs the package h2o 3.46.0.12 and a Java runtime:
python tests/golden/h2o/network.py
"""

import json
from itertools import pairwise
from pathlib import Path

import h2o
import numpy as np
import pandas as pd
from h2o.estimators import H2ODeepLearningEstimator

SEED = 1
INPUTS, HIDDEN, CLASSES = 6, [5, 4], 3
ROWS = [0] * 8 + [1, 2]
PENALTIES = {"l1": 0.01, "l2": 0.02}
OPTIMIZERS = {
    "sgd": {"adaptive_rate": False, "rate": 0.05, "rate_annealing": 0},
    "momentum": {
        "adaptive_rate": False,
        "rate": 0.05,
        "rate_annealing": 0,
        "momentum_start": 0.5,
        "momentum_stable": 0.5,
    },
    "adadelta": {"adaptive_rate": True, "rho": 0.9, "epsilon": 1e-4},
}


def frame(table):
    return h2o.H2OFrame([list(map(float, row)) for row in np.atleast_2d(table).tolist()])


def learned(x, target, weights, biases, activation, settings):
    """Return weights and biases after one pass over the samples."""
    names = [f"x{number}" for number in range(INPUTS)]
    table = h2o.H2OFrame(pd.DataFrame(x, columns=names).assign(y=target))
    model = H2ODeepLearningEstimator(
        hidden=HIDDEN, activation=activation, epochs=1, mini_batch_size=1, standardize=False,
        initial_weights=[frame(w) for w in weights], initial_biases=[frame(b.reshape(-1, 1)) for b in biases],
        reproducible=True, seed=SEED, shuffle_training_data=False, train_samples_per_iteration=0,
        stopping_rounds=0, overwrite_with_best_model=False, classification_stop=-1, force_load_balance=False,
        export_weights_and_biases=True, **PENALTIES, **settings,
    )  # fmt: skip
    model.train(x=names, y="y", training_frame=table)
    layers = range(len(weights))
    return {
        "weights": [model.weights(layer).as_data_frame().to_numpy().tolist() for layer in layers],
        "biases": [model.biases(layer).as_data_frame().to_numpy().ravel().tolist() for layer in layers],
    }


def main():
    h2o.init(nthreads=1, max_mem_size="1g")
    h2o.no_progress()
    random = np.random.default_rng(SEED)
    x = random.normal(size=(3, INPUTS)).round(2)
    x[random.random(x.shape) < 0.2] = 0  # fast mode does not update their weights
    found = {"h2o": h2o.__version__, "penalties": PENALTIES, "cases": {}}
    for task, outputs, targets in (
        ("classification", CLASSES, ["c0", "c1", "c2"]),
        ("regression", 1, [0.5, -1.25, 2.0]),
    ):
        widths = [INPUTS, *HIDDEN, outputs]
        weights = [(random.normal(size=(b, a)) / 2).round(3) for a, b in pairwise(widths)]
        biases = [random.normal(size=width).round(3) for width in widths[1:]]
        found[task] = {
            "x": x[ROWS].tolist(), "y": [[0, 1, 2][row] if task == "classification" else targets[row] for row in ROWS],
            "weights": [w.tolist() for w in weights], "biases": [b.tolist() for b in biases],
        }  # fmt: skip
        for activation in ("Rectifier", "Tanh"):
            for name, settings in OPTIMIZERS.items():
                after = learned(x[ROWS], [targets[row] for row in ROWS], weights, biases, activation, settings)
                found["cases"][f"{task} {activation} {name}"] = after
    Path(__file__).with_name("network.json").write_text(json.dumps(found) + "\n")
    h2o.cluster().shutdown()


if __name__ == "__main__":
    main()

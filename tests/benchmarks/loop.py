"""Compare the epoch loop with `keras.fit` and with the matrix products alone, on one core.

    .venv/bin/python tests/benchmarks/loop.py

The times of the loop and of `keras.fit` include the validation after the epoch. Repeats alternate between them, so that a
change of the speed of the machine affects all.
"""

import math
import os
import sys
import time
from itertools import pairwise
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2] / "workflow")]


import keras
import numpy as np
import tensorflow as tf
from measure import spread

from gamtune.config.settings import make_spec
from gamtune.data.arrays import Part, Prepared
from gamtune.learners.mlp.epoch_graph import Architecture, EpochGraph, Numbers, Samples
from gamtune.learners.mlp.loop import sample_order
from gamtune.learners.mlp.network import build_network
from gamtune.learners.mlp.objective import objective_of
from gamtune.learners.trial import set_up_tensorflow

REPEATS = 7
NETWORKS = {"561-300-300-6": ((561, 300, 300, 6), 5881), "64-100-10": ((64, 100, 10), 1077)}
REGULARISED = {"input_dropout": 0.1, "hidden_dropout": 0.2, "l1": 1e-5, "l2": 1e-5}
OPTIMIZERS = {
    "adadelta": lambda spec: keras.optimizers.Adadelta(spec.learning_rate, rho=spec.rho, epsilon=spec.epsilon),
    "adam": lambda spec: keras.optimizers.Adam(spec.learning_rate),
    "sgd": lambda spec: keras.optimizers.SGD(spec.learning_rate),
}


def part(samples, inputs, classes):
    rng = np.random.default_rng(1)
    return Part(
        rng.normal(size=(samples, inputs)).astype(np.float32), rng.integers(0, classes, samples).astype(np.int32)
    )


def our_epoch(spec, training, validation, classes):
    """Return a function that trains and validates one epoch."""
    data = Prepared(Path(), "", training.x.shape[1], list(range(classes)))
    objective = objective_of(data, spec.label_smoothing)
    graph = EpochGraph(Architecture.of(spec, objective))
    graph.load(build_network(spec, data).raw.get_weights())
    parts = Samples.of(training, objective, data), Samples.of(validation, objective, data)
    order, numbers = sample_order(1, 1, len(training.y)), Numbers.of(spec, graph.optimizer)
    return lambda: graph.run(1, order, *parts, numbers)


def keras_epoch(spec, training, validation, classes):
    model = build_network(spec, Prepared(Path(), "", training.x.shape[1], list(range(classes)))).raw
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(OPTIMIZERS[spec.optimizer](spec), loss, metrics=["accuracy"])
    return lambda: model.fit(
        training.x, training.y, batch_size=spec.batch_size, verbose=0, validation_data=(validation.x, validation.y)
    )


def products(widths, batch_size, steps):
    """Return a function with the matrix products of one step, and their number of floating-point operations."""
    rng = np.random.default_rng(1)

    def normal(*shape):
        return tf.constant(rng.normal(size=shape).astype(np.float32))

    layers = [(normal(batch_size, a), normal(a, b), normal(batch_size, b)) for a, b in pairwise(widths)]

    @tf.function(autograph=False)
    def run():
        def body(number, total):
            with tf.control_dependencies([total]):
                for layer, (x, weights, gradient) in enumerate(layers):
                    total += tf.matmul(x, weights)[0, 0] + tf.matmul(x, gradient, transpose_a=True)[0, 0]
                    if layer:
                        total += tf.matmul(gradient, weights, transpose_b=True)[0, 0]
            return number + 1, total

        return tf.while_loop(lambda number, _: number < steps, body, (tf.constant(0), tf.constant(0.0)))[1]

    sizes = [a * b for a, b in pairwise(widths)]
    return lambda: run().numpy(), steps * batch_size * (6 * sum(sizes) - 2 * sizes[0])


def seconds(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def main():
    set_up_tensorflow(1)
    print("| network | batch | optimizer | regularisation | ms per step | fit / loop | matrix products / loop |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    cases = [("561-300-300-6", "adadelta", r, b) for b in (32, 128) for r in (False, True)]
    cases += [("64-100-10", "adadelta", r, b) for b in (32, 128) for r in (False, True)]
    cases += [("561-300-300-6", optimizer, True, 128) for optimizer in ("adam", "sgd")]
    for name, optimizer, regularised, batch_size in cases:
        widths, samples = NETWORKS[name]
        settings = {"neurons": list(widths[1:-1]), "batch_size": batch_size, "optimizer": optimizer}
        spec = make_spec(settings | (REGULARISED if regularised else {"input_dropout": 0.1, "hidden_dropout": 0.2}), 1)
        data = part(samples, widths[0], widths[-1]), part(samples // 4, widths[0], widths[-1])
        steps = math.ceil(samples / batch_size)
        bare, flops = products(widths, batch_size, steps)
        validation_flops = 2 * len(data[1].y) * sum(a * b for a, b in pairwise(widths))
        runs = {"ours": our_epoch(spec, *data, widths[-1]), "fit": keras_epoch(spec, *data, widths[-1]), "bare": bare}
        for run in runs.values():
            run()
        taken = [{kind: seconds(run) for kind, run in runs.items()} for _ in range(REPEATS)]
        share = [((flops + validation_flops) / t["ours"]) / (flops / t["bare"]) for t in taken]
        print(
            f"| {name} | {batch_size} | {optimizer} | {'dropout, l1, l2' if regularised else 'dropout'}"
            f" | {spread([1000 * t['ours'] / steps for t in taken], 2)}"
            f" | {spread([t['fit'] / t['ours'] for t in taken], 1)} | {spread(share, 2)} |",
            flush=True,
        )


if __name__ == "__main__":
    main()

"""Measure the time of each phase of a trial in a warm worker.

    .venv/bin/python tests/benchmarks/phases.py

The network has a medium size for the default study: 64-300-300-10 with dropout, l1 and l2, trained for 25 epochs on the
digits. This process imports TensorFlow, as the server of the workers does, and forks a worker for each repeat, which trains
two trials. The table shows the median and range of the CPU seconds.
"""

import argparse
import gc
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2] / "workflow")]
from measure import spread

from gamtune.config.data_section import Data
from gamtune.config.settings import make_spec
from gamtune.data.prepare import prepare

EPOCHS = 25
NETWORK = {"neurons": [300, 300], "hidden_dropout": 0.2, "input_dropout": 0.1, "l1": 1e-4, "l2": 1e-4, "epochs": EPOCHS}
PHASES = (
    "import of gamtune's modules",
    "set-up",
    "layers and initial weights",
    "graph and first epoch, without its steps",
    "steps",
    "scoring",
    "model",
    "record and other steps",
)


def trials(data_info: Path) -> list[dict[str, float]]:
    """Return the CPU seconds per phase of the first trial of this process, and of one with other widths after it."""
    spent = dict.fromkeys(PHASES, 0.0)
    start = time.process_time()
    from gamtune.data.arrays import Prepared
    from gamtune.learners import trial
    from gamtune.learners.mlp import epoch_graph, network, scoring

    spent["import of gamtune's modules"] = time.process_time() - start
    epochs: list[float] = []

    def timed(phase: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **more: Any) -> Any:
            start = time.process_time()
            result = function(*arguments, **more)
            if phase == "steps":
                epochs.append(time.process_time() - start)
            else:
                spent[phase] += time.process_time() - start
            return result

        return call

    import keras

    epoch_graph.EpochGraph.run = timed("steps", epoch_graph.EpochGraph.run)
    trial.set_up_tensorflow = timed("set-up", trial.set_up_tensorflow)
    network.build_network = timed("layers and initial weights", network.build_network)
    scoring.predict = timed("scoring", scoring.predict)
    keras.Model.save = timed("model", keras.Model.save)
    found = []
    for widths in ([300, 300], [299, 301]):
        with tempfile.TemporaryDirectory() as folder:
            spec = make_spec(NETWORK | {"neurons": widths}, 1)
            trial.run_trial(spec, Prepared.open(data_info), "code", 1, Path(folder))
        spent["steps"] = median(epochs) * len(epochs)
        spent["graph and first epoch, without its steps"] = sum(epochs) - spent["steps"]
        spent["record and other steps"] = time.process_time() - start - sum(spent.values())
        found.append(dict(spent))
        spent |= dict.fromkeys(PHASES, 0.0)
        epochs.clear()
        start = time.process_time()
    return found


def forked(data_info: Path) -> list[dict[str, float]]:
    """Return the results of `trials` in a child of this process."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.write(writing, json.dumps(trials(data_info)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        spent: list[dict[str, float]] = json.loads(answer.read())
    os.waitpid(pid, 0)
    return spent


def main() -> None:
    """Measure, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        prepare(Data(source="digits"), Path(name))
        start = time.process_time()
        import keras  # noqa: F401
        import tensorflow  # noqa: F401

        imported = time.process_time() - start
        gc.collect()
        gc.freeze()
        found = [forked(Path(name) / "dataset.json") for _ in range(options.repeats)]
    print(f"Import of TensorFlow and Keras, once per run: {imported:.2f} CPU seconds\n")
    print("| phase | first trial of a worker | next trial, with other widths |\n| --- | --- | --- |")
    for phase in PHASES:
        first, after = (spread([trial[number][phase] for trial in found], 3) for number in (0, 1))
        label = f"steps of {EPOCHS} epochs" if phase == "steps" else phase
        print(f"| {label} | {first} | {after} |")
    first, after = (spread([sum(trial[number].values()) for trial in found], 3) for number in (0, 1))
    print(f"| all | {first} | {after} |")


if __name__ == "__main__":
    main()

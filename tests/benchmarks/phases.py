"""Measure the time of each phase of a trial in a child of the warm trainer.

    .venv/bin/python tests/benchmarks/phases.py

The network has a medium size for the default study: 64-300-300-10 with dropout, l1 and l2, trained for 25 epochs on the
digits. This process imports TensorFlow, as the trainer does, and forks a child for each repeat. The table shows the median
and range of the CPU seconds.
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
    "graph: layers",
    "graph: first epoch, without its steps",
    "steps",
    "scoring",
    "model",
    "record and other steps",
)


def child(data_info: Path) -> dict[str, float]:
    """Return the CPU seconds per phase of one trial."""
    spent = dict.fromkeys(PHASES, 0.0)
    start = time.process_time()
    from gamtune.data.arrays import Prepared
    from gamtune.learners import trial
    from gamtune.learners.mlp import loop, network, scoring

    spent["import of gamtune's modules"] = time.process_time() - start
    epochs: list[float] = []

    def timed(phase: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **more: Any) -> Any:
            start = time.process_time()
            result = function(*arguments, **more)
            spent[phase] += time.process_time() - start
            return result

        return call

    def epoch_function(*arguments: Any) -> Callable[..., Any]:
        run = loop_epochs(*arguments)

        def call(*values: Any) -> Any:
            start = time.process_time()
            result = run(*values)
            result.numpy()
            epochs.append(time.process_time() - start)
            return result

        return call

    loop_epochs, loop.epoch_function = loop.epoch_function, epoch_function
    trial.set_up_tensorflow = timed("set-up", trial.set_up_tensorflow)
    network.build_network = timed("graph: layers", network.build_network)
    scoring.score = timed("scoring", scoring.score)
    import keras

    keras.Model.save = timed("model", keras.Model.save)
    with tempfile.TemporaryDirectory() as folder:
        trial.run_trial(make_spec(NETWORK, 1), Prepared.open(data_info), "code", 1, Path(folder))
    spent["steps"] = median(epochs) * len(epochs)
    spent["graph: first epoch, without its steps"] = sum(epochs) - spent["steps"]
    spent["record and other steps"] = time.process_time() - start - sum(spent.values())
    return spent


def forked(data_info: Path) -> dict[str, float]:
    """Return the CPU seconds per phase of one trial in a child of this process."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.write(writing, json.dumps(child(data_info)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        spent: dict[str, float] = json.loads(answer.read())
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
    print(f"| phase | CPU seconds |\n| --- | --- |\n| import of TensorFlow and Keras, once per run | {imported:.2f} |")
    for phase in PHASES:
        values = [spent[phase] for spent in found]
        label = f"steps of {EPOCHS} epochs" if phase == "steps" else phase
        print(f"| {label} | {spread(values, 3)} |")


if __name__ == "__main__":
    main()

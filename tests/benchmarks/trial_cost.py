"""Measure the CPU seconds of a trial in addition to its epochs: Python, network, graph, scores and files.

    .venv/bin/python tests/benchmarks/trial_cost.py

A short and a long trial differ in the number of epochs only. The cost is the time of the short trial without its epochs.
The CPU time of all processes is included: the job, the fork of the trainer and its child. It is measured with the warm
trainer and with one process per trial.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from statistics import median

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2] / "workflow")]
from measure import run_once, spread

from gamtune.config.data_section import Data
from gamtune.config.settings import make_spec
from gamtune.data.prepare import prepare
from gamtune.runtime.environment import LIBRARY
from gamtune.runtime.warm import VARIABLE, start_trainer

SHORT, LONG = 1, 101  # epochs
NETWORK = {"neurons": [300, 200], "hidden_dropout": 0.2, "input_dropout": 0.1, "l1": 1e-4, "l2": 1e-4}


def trainer_seconds(trainer: int) -> float:
    """Return the CPU seconds of the trainer and of the children that it has waited for."""
    fields = Path(f"/proc/{trainer}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def job_seconds(folder: Path, epochs: int, seed: int, trainer: int | None) -> float:
    """Return the CPU seconds of one job."""
    spec = make_spec(NETWORK | {"epochs": epochs}, seed)
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY)}
    if trainer is None:
        del environment[VARIABLE]
    results = folder / f"{epochs} {seed} {trainer}"
    command = [sys.executable, "-m", "gamtune", "train", "--spec", spec.to_json(), "--data", folder / "dataset.json"]
    command += ["--record", results / "record.json", "--store", results / "store"]
    before = trainer_seconds(trainer) if trainer else 0
    used, _ = run_once(command, env=environment)
    return used.ru_utime + used.ru_stime + ((trainer_seconds(trainer) - before) if trainer else 0)


def main() -> None:
    """Measure, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        prepare(Data(source="digits"), folder)
        start_trainer(folder / "trainer.txt")
        (trainer,) = map(int, Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())
        for label, warm in (("warm trainer", trainer), ("one process per trial", None)):
            job_seconds(folder, SHORT, 0, warm)  # the first job imports TensorFlow or fills the file cache
            costs, epochs = [], []
            for seed in range(1, options.repeats + 1):
                short, long = (job_seconds(folder, number, seed, warm) for number in (SHORT, LONG))
                epochs.append((long - short) / (LONG - SHORT))
                costs.append(short - SHORT * epochs[-1])
            print(
                f"{label}: {spread(costs, 2, ' CPU s per trial')} and {1000 * median(epochs):.1f} ms per epoch",
                flush=True,
            )


if __name__ == "__main__":
    main()

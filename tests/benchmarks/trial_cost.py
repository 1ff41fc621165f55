"""Measure the CPU seconds of a trial in addition to its epochs: Python, network, graph, scores and files.

    .venv/bin/python tests/benchmarks/trial_cost.py

A short and a long trial differ in the number of epochs only; the widths differ between the repeats. The cost is the time
of the short trial without its epochs. The CPU time of all processes is included: the job, the server of workers and the
worker. It is measured with workers and with one process per trial.
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
from gamtune.runtime.warm import VARIABLE, start_server

SHORT, LONG = 1, 101  # epochs
NETWORK = {"hidden_dropout": 0.2, "input_dropout": 0.1, "l1": 1e-4, "l2": 1e-4}


def server_seconds(server: int) -> float:
    """Return the CPU seconds of the server of workers and of its workers, which stay alive between the trials."""
    workers = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    stats = [stat for pid in (server, *workers) for stat in Path(f"/proc/{pid}/task").glob("*/schedstat")]
    return sum(int(stat.read_text().split()[0]) for stat in stats) / 1e9


def job_seconds(folder: Path, epochs: int, seed: int, server: int | None) -> float:
    """Return the CPU seconds of one job."""
    spec = make_spec(NETWORK | {"epochs": epochs, "neurons": [300 + seed, 200 - seed]}, seed)
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY)}
    if server is None:
        del environment[VARIABLE]
    results = folder / f"{epochs} {seed} {server}"
    command = [sys.executable, "-m", "gamtune", "train", "--spec", spec.to_json(), "--data", folder / "dataset.json"]
    command += ["--record", results / "record.json", "--store", results / "store"]
    before = server_seconds(server) if server else 0
    used, _ = run_once(command, env=environment)
    return used.ru_utime + used.ru_stime + ((server_seconds(server) - before) if server else 0)


def main() -> None:
    """Measure, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        prepare(Data(source="digits"), folder)
        start_server(folder / "workers.txt")
        (server,) = map(int, Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())
        for label, warm in (("workers", server), ("one process per trial", None)):
            job_seconds(folder, SHORT, 0, warm)  # the first job imports TensorFlow and builds the graph
            costs, epochs = [], []
            for seed in range(1, options.repeats + 1):
                short, long = (job_seconds(folder, number, seed, warm) for number in (SHORT, LONG))
                epochs.append((long - short) / (LONG - SHORT))
                costs.append(short - SHORT * epochs[-1])
            print(
                f"{label}: {spread(costs, 3, ' CPU s per trial')} and {1000 * median(epochs):.1f} ms per epoch",
                flush=True,
            )


if __name__ == "__main__":
    main()

"""Measure seconds and peak memory of the steps other than training for many trials: table, Snakemake's plan, summary.

    .venv/bin/python tests/benchmarks/scale.py --trials 10000

The records are simulated. Each step runs in a separate process, as in a study.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2] / "workflow")]
from measure import run_once, spread
from no_op import ROOT, command, configure

from gamtune.config.load import read_study
from gamtune.metrics.h2o import METRICS
from gamtune.results.dataset import DatasetInfo
from gamtune.search.table import build_table, table_csv

EPOCHS = 25
TABLE = """
import sys, time
from gamtune.config.load import read_study
from gamtune.search.table import build_table
study = read_study(sys.argv[1])
small = study.search.model_copy(update={"draws": 2})
build_table(study.model_copy(update={"search": small}))  # imports SciPy, which takes 0.2 s
start = time.perf_counter()
build_table(study)
print(time.perf_counter() - start)
"""


def measured(command: list[object], folder: Path) -> tuple[float, float, str]:
    """Return seconds, peak megabytes and output of one process."""
    start = time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow")}
    used, output = run_once(command, cwd=folder, env=environment)
    return time.perf_counter() - start, used.ru_maxrss / 1024, output


def write_records(folder: Path) -> None:
    """Write a table and one record per trial, as large as real ones."""
    study = read_study(str(folder / "config.yaml"))
    results = folder / "results" / study.study
    results.mkdir(parents=True)
    (results / "table.csv").write_text(table_csv(study))
    data = DatasetInfo("classification", 64, list(range(10)), None, None, "validation", {}, "")
    data.write(results / "data" / "dataset.json")
    metrics = {name: 0.123456789012345 for name in METRICS["classification"]}
    curves = ("train_logloss", "train_mse", "validation_logloss", "validation_mse", "validation_accuracy", "time")
    for row in build_table(study):
        trial = results / "trials" / row.spec.trial
        trial.mkdir(parents=True)
        record = {
            "trial": row.spec.trial, "spec": json.loads(row.spec.to_json()), "status": "ok", "reason": None,
            "metrics": {"train": metrics, "validation": metrics},
            "history": {name: [0.123456789012345] * EPOCHS for name in curves},
            "epochs_run": EPOCHS, "best_epoch": EPOCHS, "seconds": 1.5,
        }  # fmt: skip
        (trial / "record.json").write_text(json.dumps(record, indent=1))


def main() -> None:
    """Measure, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        configure(folder, options.trials)
        write_records(folder)
        (folder / "new").mkdir()
        configure(folder / "new", options.trials)
        steps = {
            "table": [sys.executable, "-c", TABLE, folder / "config.yaml"],
            "snakemake -n of a new study": command(folder / "new", "-n", "--quiet"),
            "summary of all records": [
                sys.executable,
                "-m",
                "gamtune",
                "summarise",
                "config.yaml",
                "--study",
                "results/digits",
            ],
        }
        for step, call in steps.items():
            calls = [measured(call, folder) for _ in range(options.repeats)]
            seconds = [float(output) if step == "table" else taken for taken, _, output in calls]
            print(
                f"{options.trials} trials, {step}: {spread(seconds, 2, ' s')}, {max(peak for _, peak, _ in calls):.0f} MB",
                flush=True,
            )


if __name__ == "__main__":
    main()

"""A simulated folder of a finished study, and its runs in MLflow."""

import csv
import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlparse

import numpy as np
import yaml
from made import dataset

from gamtune.tracking.store import open_store
from gamtune.tracking.study import TrackedStudy
from gamtune.tracking.sync import sync

LIBRARY = Path(__file__).parents[1] / "workflow"
SYNC = """
import sys
from pathlib import Path
from gamtune.tracking.study import TrackedStudy
from gamtune.tracking.sync import sync
sync(TrackedStudy(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
"""
SYNC_TOGETHER = """
import sys, time
from pathlib import Path
from gamtune.tracking.study import TrackedStudy
from gamtune.tracking.sync import sync
ready = Path(sys.argv[4])
(ready / sys.argv[5]).touch()
while len(list(ready.iterdir())) < 2:
    time.sleep(0.001)
sync(TrackedStudy(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
"""
FOLLOW = """
import sys
from pathlib import Path
from gamtune.tracking.follow import follow
from gamtune.tracking.study import TrackedStudy
follow(TrackedStudy(sys.argv[1], sys.argv[2], Path(sys.argv[3])), int(sys.argv[4]), *map(float, sys.argv[5:]))
"""
# The preprocessing of two raw columns, a number and a text
PREPROCESSING = {
    "columns": ["size", "kind"], "levels": {"kind": ["a", "b"]}, "fill": {}, "features": ["size", "kind=a", "kind=b"],
    "mean": [1.0, 0.0, 0.0], "sd": [2.0, 1.0, 1.0], "constant": [], "target": "y", "task": "classification",
    "classes": ["no", "yes"], "target_mean": None, "target_sd": None, "missing": [],
}  # fmt: skip
STARTED = 1_780_000_000.0


class Study:
    """Simulated folder of a finished study, with its tracking store."""

    name = "digits"

    def __init__(self, folder, results="re sults"):
        self.results = folder / results
        self.folder = self.results / self.name
        self.uri = f"sqlite:///{self.results}/mlflow.db"
        self.trials = []

    def write_table(self, trials):
        self.trials = trials
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "table.csv").open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(["trial", "name", "replicate", "neurons", "l1", "epsilon", "l2"])
            for number, trial in enumerate(trials):
                table.writerow([trial, f"t{number:04}", 1, "300 200", number / 1000, 10.0**-number, 0.5])

    def write_record(self, trial, place=None, status="ok", epochs=3, number=0, **changes):
        spec = {
            "neurons": [300, 200], "hidden_dropout": [0.0, 0.0], "activation": "relu", "input_dropout": 0.0,
            "l1": number / 1000, "l2": 0.5, "optimizer": "adadelta", "learning_rate": 1.0, "rho": 0.95,
            "epsilon": 10.0**-number, "batch_size": 32, "epochs": 25, "threads": 1, "weight_seed": 1,
        }  # fmt: skip
        values = [0.5 / epoch for epoch in range(1, epochs + 1)]
        curves = ("train_logloss", "train_mse", "validation_logloss", "validation_mse", "validation_accuracy")
        record = {
            "trial": trial,
            "status": status,
            "reason": None,
            "spec": spec,
            "data": "d" * 64,
            "code": "c" * 64,
            "metrics": {"train": {"mse": 0.1, "r2": None}, "validation": {"mse": 0.2 + number, "accuracy": 0.9}},
            "history": {
                "epoch": list(range(1, epochs + 1)),
                "time": [STARTED + epoch for epoch in range(1, epochs + 1)],
                **{curve: values for curve in curves},
            },
            "epochs_run": epochs,
            "best_epoch": epochs,
            "started": STARTED,
            "finished": STARTED + 10,
            "seconds": 10.0,
            "attempt": 1,
            "versions": {"python": "3.11"},
        } | changes
        path = self.folder / (place or f"trials/{trial}") / "record.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record))

    def write_trials(self, count, epochs=3):
        self.write_table([f"{number:012x}" for number in range(count)])
        for number, trial in enumerate(self.trials):
            self.write_record(trial, number=number, epochs=epochs)

    def write_data(self):
        folder = self.folder / "data"
        folder.mkdir()
        dataset(fingerprint="d" * 64, rows={"train": 6, "validation": 2, "test": 2}).write(folder / "dataset.json")
        (folder / "preprocessing.json").write_text(json.dumps(PREPROCESSING))

    def write_optimum(self, seed):
        """Write a network on two raw columns as the optimum; return its predictions for two raw samples."""
        import keras

        folder = self.folder / "optimum"
        folder.mkdir(exist_ok=True)
        keras.utils.set_random_seed(seed)
        model = keras.Sequential([keras.Input([3]), keras.layers.Dense(2, activation="softmax")])
        model.save(folder / "model.keras")
        (folder / "preprocessing.json").write_text(json.dumps(PREPROCESSING))
        return model.predict(np.array([[0.5, 0, 1], [0, 0, 0]], "float32"), verbose=0)

    @property
    def tracked(self):
        return TrackedStudy(self.name, self.uri, self.results, strategy="random", source="digits")

    def sync(self):
        return sync(self.tracked).counts

    def open(self):
        return open_store(self.tracked)

    def runs(self, role="trial"):
        """Return the active runs by key."""
        with self.open() as store:
            found = study_runs(store, role)
        runs = {run.data.tags["gamtune.key"]: run for run in found}
        assert len(runs) == len(found), "two active runs of one key"
        return runs

    def query(self, statement):
        with sqlite3.connect(self.results / "mlflow.db") as connection:
            return connection.execute(statement).fetchall()

    def statuses(self):
        return {status for (status,) in self.query("SELECT DISTINCT status FROM runs")}


def write_config(folder):
    """Write the config that `gamtune sync` finds the study by, into the folder that holds its results."""
    text = {"study": "digits", "data": {"source": "digits"}, "search": {"strategy": "random", "draws": 2, "seed": 1}}
    (folder / "config.yaml").write_text(yaml.safe_dump(text | {"space": {"l1": {"uniform": [0, 1]}}}))


def wait_until(study, statement, rows, seconds=30):
    """Wait until a query of the tracking database returns these rows."""
    deadline = time.monotonic() + seconds
    while study.query(statement) != rows:
        assert time.monotonic() < deadline, statement
        time.sleep(0.05)


def study_runs(store, role="trial"):
    return store.client.search_runs([store.experiment_id], f"tags.`gamtune.role` = '{role}'")


def start_python(code, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY)}
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], env=environment, stderr=subprocess.PIPE, text=True
    )


def start_follower(study, parent_pid, *seconds):
    """Start a follower in a separate process, with its usual pause or another one."""
    return start_python(FOLLOW, study.name, study.uri, study.results, parent_pid, *seconds)


def content(study):
    """Return everything that MLflow shows of a study, without ids and time stamps."""
    with closing(sqlite3.connect(study.results / "mlflow.db")) as connection:

        def rows(statement, *values):
            return sorted(connection.execute(statement, values).fetchall())

        active = rows(
            "SELECT run_uuid, name, status, start_time, end_time, artifact_uri FROM runs WHERE lifecycle_stage = 'active'"
        )
        runs = []
        for run_id, *fields, artifacts in active:
            folder = Path(unquote(urlparse(artifacts).path))
            files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
            runs.append(
                (
                    fields,
                    rows("SELECT key, value FROM params WHERE run_uuid = ?", run_id),
                    rows("SELECT key, value, timestamp, step FROM metrics WHERE run_uuid = ?", run_id),
                    rows("SELECT key, value FROM tags WHERE run_uuid = ?", run_id),
                    rows(
                        "SELECT name, digest, dataset_schema FROM datasets JOIN inputs ON source_id = dataset_uuid"
                        " WHERE destination_id = ?",
                        run_id,
                    ),
                    sorted((name, hashlib.sha256(path.read_bytes()).hexdigest()) for name, path in files.items()),
                )
            )
        return {
            "runs": sorted(runs, key=str),
            "experiment": rows("SELECT key, value FROM experiment_tags"),
            "versions": rows("SELECT name, version, description FROM model_versions"),
            "version tags": rows("SELECT name, version, key, value FROM model_version_tags"),
            "aliases": rows("SELECT name, alias, version FROM registered_model_aliases"),
            "models": rows("SELECT name, status FROM logged_models WHERE lifecycle_stage = 'active'"),
        }


KILLED = """
import os, signal, sys, tempfile, time
from pathlib import Path
from gamtune.tracking.study import TrackedStudy
from gamtune.tracking.sync import sync
with tempfile.TemporaryDirectory() as scratch:  # so that the imports of the first sync are not part of the measured writing
    sync(TrackedStudy("scratch", f"sqlite:///{scratch}/mlflow.db", Path(scratch)))
for line in sys.stdin:
    name, uri, results, seconds = line.rstrip().split(chr(9))
    begun = time.monotonic()
    child = os.fork()
    if child == 0:
        sync(TrackedStudy(name, uri, Path(results), strategy="random", source="digits"))
        os._exit(0)
    if seconds != "None":
        time.sleep(float(seconds))
        os.kill(child, signal.SIGKILL)
    ended = os.WTERMSIG(os.waitpid(child, 0)[1])
    print(ended, time.monotonic() - begun, flush=True)
"""


class Killer:
    """Process that syncs in forked children and kills them at given moments."""

    def __enter__(self):
        environment = {**os.environ, "PYTHONPATH": str(LIBRARY)}
        self.process = subprocess.Popen(
            [sys.executable, "-c", KILLED], env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()

    def sync(self, study, kill_after=None):
        """Sync, or kill the sync after a number of seconds; return whether it was killed, and its duration."""
        print(study.name, study.uri, study.results, kill_after, sep="\t", file=self.process.stdin, flush=True)
        number, seconds = self.process.stdout.readline().split()
        return number == "9", float(seconds)

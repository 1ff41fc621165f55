"""Optuna with Keras: the given configurations as a grid over their number; `WORKERS` processes share a journal."""

import os
import sys
from multiprocessing import get_context
from pathlib import Path

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

WORKERS = int(sys.argv[1])
JOURNAL = str(Path(os.environ["WORK"]) / f"optuna_{WORKERS}.journal")


def objective(trial):
    from keras_trial import CONFIGURATIONS, train

    configuration = CONFIGURATIONS[trial.suggest_int("configuration", 0, len(CONFIGURATIONS) - 1)]
    if WORKERS > 1:  # one core each
        import tensorflow as tf

        if tf.config.threading.get_intra_op_parallelism_threads() != 1:
            tf.config.threading.set_intra_op_parallelism_threads(1)
            tf.config.threading.set_inter_op_parallelism_threads(1)
    return train(configuration)


def work(_=None):
    import json

    count = len(json.loads((Path(os.environ["WORK"]) / "configurations.json").read_text()))
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        study_name="trials", storage=JournalStorage(JournalFileBackend(JOURNAL)), load_if_exists=True,
        sampler=optuna.samplers.GridSampler({"configuration": list(range(count))}, seed=1),
    )  # fmt: skip
    study.optimize(objective)


if __name__ == "__main__":
    if WORKERS == 1:
        work()
    else:
        with get_context("spawn").Pool(WORKERS) as pool:
            pool.map(work, range(WORKERS), chunksize=1)
    study = optuna.load_study(study_name="trials", storage=JournalStorage(JournalFileBackend(JOURNAL)))
    print(f"best validation MSE {study.best_value:.5f} of {len(study.trials)} trials")

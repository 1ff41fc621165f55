"""Optuna's best strategy: multivariate TPE over conditional hyperparameters, median pruning, one process per core."""

import os
from multiprocessing import get_context
from pathlib import Path

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from search import GOAL, LIMIT, SEED, configuration, elapsed, report, stopping

JOURNAL = str(Path(os.environ["WORK"]) / "optuna.journal")


def study(worker=0):
    return optuna.create_study(
        study_name="search", storage=JournalStorage(JournalFileBackend(JOURNAL)), load_if_exists=True,
        sampler=optuna.samplers.TPESampler(multivariate=True, group=True, constant_liar=True, seed=SEED * 100 + worker),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=5),
    )  # fmt: skip


def objective(trial):
    import keras
    from keras_trial import build, fit, validation_mse

    class Prune(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs):
            trial.report(logs["val_loss"], epoch)
            if trial.should_prune():
                raise optuna.TrialPruned

    settings = configuration(trial.suggest_int, trial.suggest_float)
    keras.utils.clear_session()
    model = build(settings)
    fit(model, settings, [stopping(), Prune()])
    return validation_mse(model)


def stop(study, trial):
    done = trial.value is not None and trial.value <= GOAL
    if (
        done
        or elapsed() > LIMIT
        or any(t.value is not None and t.value <= GOAL for t in study.get_trials(deepcopy=False))
    ):
        study.stop()


def work(worker):
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    mine = study(worker)
    mine.optimize(objective, callbacks=[stop])
    return mine.best_value, len(mine.trials), elapsed()


if __name__ == "__main__":
    study()
    with get_context("spawn").Pool(os.cpu_count()) as pool:
        error, trials, _ = next(pool.imap_unordered(work, range(os.cpu_count())))
        report(error, trials)
        pool.terminate()

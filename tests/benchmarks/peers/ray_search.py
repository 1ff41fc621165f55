"""Ray Tune's best strategy: Optuna's TPE, early stopping by ASHA, one core per trial."""

import os
from pathlib import Path

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
import ray
from ray import tune
from ray.tune.search.optuna import OptunaSearch
from search import EPOCHS, GOAL, LIMIT, SEED, configuration, elapsed, report

HERE = str(Path(__file__).parent)


def space(trial):
    configuration(trial.suggest_int, trial.suggest_float)


class Trial(tune.Trainable):
    def setup(self, config):
        import tensorflow as tf

        if tf.config.threading.get_intra_op_parallelism_threads() != 1:
            tf.config.threading.set_intra_op_parallelism_threads(1)
            tf.config.threading.set_inter_op_parallelism_threads(1)
        self.reset_config(config)

    def reset_config(self, new_config):
        import keras
        from keras_trial import build

        keras.utils.clear_session()
        self.settings = configuration(lambda name, *_: new_config[name], lambda name, *_: new_config[name])
        self.model = build(self.settings)
        return True

    def step(self):
        from keras_trial import fit, validation_mse

        fit(self.model, self.settings | {"epochs": 1})
        return {"mse": validation_mse(self.model), "done": self.iteration + 1 >= EPOCHS}

    def save_checkpoint(self, checkpoint_dir):
        return None


class Reached(tune.Stopper):
    best, trials = 1.0, set()

    def __call__(self, trial_id, result):
        self.trials.add(trial_id)
        self.best = min(self.best, result["mse"])
        return False

    def stop_all(self):
        return self.best <= GOAL or elapsed() > LIMIT


if __name__ == "__main__":
    ray.init(
        num_cpus=os.cpu_count(), include_dashboard=False, log_to_driver=False,
        runtime_env={"env_vars": {name: os.environ[name] for name in ("WORK", "GOAL", "LIMIT", "SEED", "BEGUN")} | {"PYTHONPATH": HERE}},
    )  # fmt: skip
    stopper = Reached()
    tune.Tuner(
        tune.with_resources(Trial, {"cpu": 1}),
        tune_config=tune.TuneConfig(
            num_samples=-1, reuse_actors=True, search_alg=OptunaSearch(space=space, metric="mse", mode="min", seed=SEED),
            scheduler=tune.schedulers.ASHAScheduler(metric="mse", mode="min", max_t=EPOCHS, grace_period=5),
        ),
        run_config=tune.RunConfig(storage_path=f"{os.environ['WORK']}/ray", verbose=0, stop=stopper),
    ).fit()  # fmt: skip
    report(stopper.best, len(stopper.trials))

"""Ray Tune with the given configurations as a grid over their number, one core per trial, on two cores."""

import os
from pathlib import Path

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
import ray
from ray import tune

HERE, WORK = str(Path(__file__).parent), os.environ["WORK"]


class Trial(tune.Trainable):
    def setup(self, config):
        import tensorflow as tf

        if tf.config.threading.get_intra_op_parallelism_threads() != 1:
            tf.config.threading.set_intra_op_parallelism_threads(1)
            tf.config.threading.set_inter_op_parallelism_threads(1)

    def reset_config(self, new_config):
        return True

    def step(self):
        from keras_trial import CONFIGURATIONS, train

        return {"mse": train(CONFIGURATIONS[self.config["configuration"]]), "done": True}

    def save_checkpoint(self, checkpoint_dir):
        return None


if __name__ == "__main__":
    import json

    count = len(json.loads((Path(WORK) / "configurations.json").read_text()))
    ray.init(
        num_cpus=os.cpu_count(), include_dashboard=False, log_to_driver=False,
        runtime_env={"env_vars": {"PYTHONPATH": HERE, "WORK": WORK}},
    )  # fmt: skip
    tuner = tune.Tuner(
        tune.with_resources(Trial, {"cpu": 1}), param_space={"configuration": tune.grid_search(list(range(count)))},
        tune_config=tune.TuneConfig(metric="mse", mode="min", reuse_actors=True),
        run_config=tune.RunConfig(storage_path=f"{WORK}/ray", verbose=0),
    )  # fmt: skip
    results = tuner.fit()
    print(f"best validation MSE {results.get_best_result().metrics['mse']:.5f} of {len(results)} trials")

"""KerasTuner's best strategy for few trials: Bayesian optimisation with a Gaussian process."""

import keras
import keras_tuner
from keras_trial import FOLDER, build, fit, validation_mse
from search import GOAL, LIMIT, SEED, configuration, elapsed, report, stopping


class Search(keras_tuner.BayesianOptimization):
    def run_trial(self, trial, *_, **__):
        hp = trial.hyperparameters
        settings = configuration(hp.Int, hp.Float)
        keras.utils.clear_session()
        model = build(settings)
        fit(model, settings, [stopping()])
        return {"mse": validation_mse(model)}

    def on_trial_end(self, trial):
        super().on_trial_end(trial)
        if trial.score <= GOAL or elapsed() > LIMIT:
            report(self.oracle.get_best_trials()[0].score, len(self.oracle.trials))
            raise SystemExit


space = keras_tuner.HyperParameters()
configuration(space.Int, space.Float)
Search(
    hyperparameters=space, objective=keras_tuner.Objective("mse", "min"), max_trials=10_000, seed=SEED,
    directory=FOLDER / "keras_tuner", overwrite=True,
).search(verbose=0)  # fmt: skip

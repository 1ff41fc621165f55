"""KerasTuner with the given configurations as a grid over their number."""

import keras_tuner
from keras_trial import CONFIGURATIONS, FOLDER, train


class Trials(keras_tuner.GridSearch):
    def run_trial(self, trial, *_, **__):
        return {"mse": train(CONFIGURATIONS[trial.hyperparameters.Int("configuration", 0, len(CONFIGURATIONS) - 1)])}


numbers = keras_tuner.HyperParameters()
numbers.Int("configuration", 0, len(CONFIGURATIONS) - 1)
tuner = Trials(
    hyperparameters=numbers, objective=keras_tuner.Objective("mse", "min"), max_trials=len(CONFIGURATIONS),
    directory=FOLDER / "keras_tuner", overwrite=True,
)  # fmt: skip
tuner.search(verbose=0)
trials = tuner.oracle.get_best_trials(len(CONFIGURATIONS))
print(f"best validation MSE {trials[0].score:.5f} of {len(trials)} trials")

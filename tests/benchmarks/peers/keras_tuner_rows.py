"""KerasTuner with the given configurations as a grid over their number."""

import keras_tuner
from keras_row import FOLDER, ROWS, train


class Rows(keras_tuner.GridSearch):
    def run_trial(self, trial, *_, **__):
        return {"mse": train(ROWS[trial.hyperparameters.Int("row", 0, len(ROWS) - 1)])}


numbers = keras_tuner.HyperParameters()
numbers.Int("row", 0, len(ROWS) - 1)
tuner = Rows(
    hyperparameters=numbers, objective=keras_tuner.Objective("mse", "min"), max_trials=len(ROWS),
    directory=FOLDER / "keras_tuner", overwrite=True,
)  # fmt: skip
tuner.search(verbose=0)
trials = tuner.oracle.get_best_trials(len(ROWS))
print(f"best validation MSE {trials[0].score:.5f} of {len(trials)} rows")

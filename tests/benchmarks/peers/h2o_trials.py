"""H2O on all cores, with its grid search over the given configurations."""

import json
import os
from pathlib import Path

import h2o
import numpy as np
from h2o.estimators import H2ODeepLearningEstimator
from h2o.grid.grid_search import H2OGridSearch

FOLDER = Path(os.environ["WORK"])
CONFIGURATIONS = json.loads((FOLDER / "configurations.json").read_text())
DATA = np.load(FOLDER / "digits.npz")


def frame(part):
    table = h2o.H2OFrame(np.column_stack([DATA[f"x_{part}"], DATA[f"y_{part}"]]).tolist())
    table[table.columns[-1]] = table[table.columns[-1]].asfactor()
    return table


def start():
    h2o.init(nthreads=-1, max_mem_size="2g", verbose=False, port=54555)
    h2o.no_progress()


if __name__ == "__main__":
    start()
    train, validation = frame("train"), frame("validation")
    names = {"hidden": "neurons", "hidden_dropout_ratios": "hidden_dropout", "input_dropout_ratio": "input_dropout"}
    names |= {name: name for name in ("l1", "l2", "rho", "epsilon", "epochs")}
    lists = {theirs: [settings[ours] for settings in CONFIGURATIONS] for theirs, ours in names.items()}
    model = H2ODeepLearningEstimator(
        activation="RectifierWithDropout", stopping_rounds=0, overwrite_with_best_model=False,
        mini_batch_size=CONFIGURATIONS[0]["batch_size"], standardize=False, score_interval=1e9, seed=1,
    )  # fmt: skip
    grid = H2OGridSearch(model, lists, search_criteria={"strategy": "Sequential"})
    grid.train(x=train.columns[:-1], y=train.columns[-1], training_frame=train, validation_frame=validation)
    errors = [model.mse(valid=True) for model in grid.models]
    print(f"best validation MSE {min(errors):.5f} of {len(errors)} trials")
    h2o.cluster().shutdown()

"""H2O's random search with its early stopping, one sample per step as recommended, on all cores."""

import random

import h2o
from h2o.estimators import H2ODeepLearningEstimator
from h2o_trials import frame, start
from search import EPOCHS, GOAL, LIMIT, SEED, configuration, elapsed, report

draw = random.Random(SEED)
start()
train, validation = frame("train"), frame("validation")
best, trials = 1.0, 0
while best > GOAL and elapsed() < LIMIT:
    drawn = configuration(lambda _, low, high: draw.randint(low, high), lambda _, low, high: draw.uniform(low, high))
    model = H2ODeepLearningEstimator(
        activation="RectifierWithDropout", hidden=drawn["neurons"], hidden_dropout_ratios=drawn["hidden_dropout"],
        input_dropout_ratio=drawn["input_dropout"], l1=drawn["l1"], l2=drawn["l2"], rho=drawn["rho"],
        epsilon=drawn["epsilon"], epochs=EPOCHS, mini_batch_size=1, standardize=False, stopping_rounds=5, seed=SEED,
    )  # fmt: skip
    model.train(x=train.columns[:-1], y=train.columns[-1], training_frame=train, validation_frame=validation)
    best, trials = min(best, model.mse(valid=True)), trials + 1
report(best, trials)
h2o.cluster().shutdown()

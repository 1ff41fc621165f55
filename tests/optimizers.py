"""Optimizers and networks for tests that compare trials, and the optimizers of Keras that they are compared with."""

import keras

OPTIMIZERS = [
    {"optimizer": "adadelta", "rho": 0.95, "epsilon": 1e-6},
    {"optimizer": "sgd", "learning_rate": 0.05},
    {"optimizer": "sgd", "learning_rate": 0.05, "momentum": 0.5},
    {"optimizer": "adam", "learning_rate": 0.002},
]
H2O_OPTIMIZERS = [{"network": "h2o", **settings} for settings in OPTIMIZERS[:3]]
ANNEALED = {"optimizer": "sgd", "learning_rate": 0.05, "rate_annealing": 1e-3}
NETWORKS = {
    "plain": {},
    "regularised": {"input_dropout": 0.1, "hidden_dropout": [0.2, 0.3], "l1": 1e-4, "l2": 1e-3},
    "l1 alone": {"l1": 1e-3, "activation": "tanh", "hidden_dropout": [0, 0.5]},
    "l2 alone": {"l2": 1e-3, "activation": "elu", "input_dropout": 0.2},
    "maxout": {"activation": "maxout", "hidden_dropout": [0.2, 0], "l2": 1e-4},
    "smoothed labels": {"label_smoothing": 0.1, "hidden_dropout": [0.2, 0.3]},
}


def keras_optimizer(spec):
    """Return the Keras optimizer of a specification."""
    if spec.optimizer == "adadelta":
        return keras.optimizers.Adadelta(spec.learning_rate, rho=spec.rho, epsilon=spec.epsilon)
    if spec.optimizer == "sgd":
        return keras.optimizers.SGD(spec.learning_rate, momentum=spec.momentum)
    return keras.optimizers.Adam(spec.learning_rate, spec.beta_1, spec.beta_2, epsilon=spec.epsilon)

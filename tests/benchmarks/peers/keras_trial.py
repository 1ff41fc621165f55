"""One trial in plain Keras: a Sequential model, `fit`, and H2O's MSE from its predictions."""

import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
import keras
import numpy as np

FOLDER = Path(os.environ["WORK"])
DATA = np.load(FOLDER / "digits.npz")
CONFIGURATIONS = json.loads((FOLDER / "configurations.json").read_text())


def build(settings):
    regularizer = keras.regularizers.L1L2(settings["l1"], settings["l2"])
    layers = [keras.Input((DATA["x_train"].shape[1],)), keras.layers.Dropout(settings["input_dropout"])]
    for neurons, dropout in zip(settings["neurons"], settings["hidden_dropout"], strict=True):
        layers.append(keras.layers.Dense(neurons, activation=settings["activation"], kernel_regularizer=regularizer))
        layers.append(keras.layers.Dropout(dropout))
    layers.append(keras.layers.Dense(10, activation="softmax", kernel_regularizer=regularizer))
    model = keras.Sequential(layers)
    optimizer = keras.optimizers.Adadelta(settings["learning_rate"], rho=settings["rho"], epsilon=settings["epsilon"])
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def fit(model, settings, callbacks=(), verbose=0):
    model.fit(
        DATA["x_train"], DATA["y_train"], batch_size=settings["batch_size"], epochs=settings["epochs"], verbose=verbose,
        validation_data=(DATA["x_validation"], DATA["y_validation"]), callbacks=list(callbacks),
    )  # fmt: skip


def validation_mse(model):
    labels = DATA["y_validation"]
    probabilities = model.predict(DATA["x_validation"], verbose=0)
    return float(((1 - probabilities[np.arange(len(labels)), labels]) ** 2).mean())


def train(settings):
    keras.utils.clear_session()
    model = build(settings)
    fit(model, settings)
    return validation_mse(model)

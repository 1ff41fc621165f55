"""One trial in plain Keras: a Sequential model, `fit`, and H2O's MSE from its predictions."""

import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
import keras
import numpy as np

FOLDER = Path(os.environ["WORK"])
DATA = np.load(FOLDER / "digits.npz")
ROWS = json.loads((FOLDER / "rows.json").read_text())


def build(row):
    regularizer = keras.regularizers.L1L2(row["l1"], row["l2"])
    layers = [keras.Input((DATA["x_train"].shape[1],)), keras.layers.Dropout(row["input_dropout"])]
    for neurons, dropout in zip(row["neurons"], row["hidden_dropout"], strict=True):
        layers.append(keras.layers.Dense(neurons, activation=row["activation"], kernel_regularizer=regularizer))
        layers.append(keras.layers.Dropout(dropout))
    layers.append(keras.layers.Dense(10, activation="softmax", kernel_regularizer=regularizer))
    model = keras.Sequential(layers)
    optimizer = keras.optimizers.Adadelta(row["learning_rate"], rho=row["rho"], epsilon=row["epsilon"])
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def fit(model, row, callbacks=(), verbose=0):
    model.fit(
        DATA["x_train"], DATA["y_train"], batch_size=row["batch_size"], epochs=row["epochs"], verbose=verbose,
        validation_data=(DATA["x_validation"], DATA["y_validation"]), callbacks=list(callbacks),
    )  # fmt: skip


def validation_mse(model):
    labels = DATA["y_validation"]
    probabilities = model.predict(DATA["x_validation"], verbose=0)
    return float(((1 - probabilities[np.arange(len(labels)), labels]) ** 2).mean())


def train(row):
    keras.utils.clear_session()
    model = build(row)
    fit(model, row)
    return validation_mse(model)

"""The space of the default study for each peer, its early stopping, and the time at which a goal was reached.

The other tools have no beta distribution, so dropout rates are uniform over most of the range of the priors.
"""

import os
import time

GOAL, LIMIT, SEED = float(os.environ["GOAL"]), float(os.environ["LIMIT"]), int(os.environ["SEED"])
BEGUN = float(os.environ["BEGUN"])
EPOCHS, PATIENCE = 25, 5


def configuration(integer, number):
    """Return a configuration, given two functions of a peer: ``integer(name, low, high)`` and ``number(name, low, high)``."""
    depth = integer("depth", 1, 5)
    return {
        "neurons": [integer(f"neurons_{layer}", 20, 600) for layer in range(depth)],
        "hidden_dropout": [number(f"hidden_dropout_{layer}", 0.0, 0.5) for layer in range(depth)],
        "input_dropout": number("input_dropout", 0.0, 0.3),
        "l1": number("l1", 0.0, 0.002),
        "l2": number("l2", 0.0, 0.01),
        "rho": number("rho", 0.9, 0.999),
        "epsilon": number("epsilon", 1e-10, 1e-4),
        "learning_rate": 1.0, "activation": "relu", "batch_size": 32, "epochs": EPOCHS,
    }  # fmt: skip


def elapsed():
    """Return the seconds since the command was started."""
    return time.time() - BEGUN


def report(error, trials):
    """Print when the goal was reached, or that it was not reached."""
    reached = f"{elapsed():.1f} s" if error <= GOAL else f"not within {LIMIT:.0f} s"
    print(f"reached {reached} with {error:.5f} after {trials} trials")


def stopping():
    import keras

    return keras.callbacks.EarlyStopping("val_loss", patience=PATIENCE, restore_best_weights=True)

"""A saved network, read back."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def load_model(path: Path) -> Any:
    """The Keras model of a ``.keras`` file, ready to predict.

    Safe mode refuses code that is hidden in the file; the optimizer's state is left behind.

    Parameters
    ----------
    path : Path
        A file that ``model.save`` wrote.

    Raises
    ------
    ValueError
        If the file is no Keras model, or holds a Lambda layer.
    """
    with _without_banner():
        import keras

        return keras.saving.load_model(path, compile=False, safe_mode=True)


@contextmanager
def _without_banner() -> Iterator[None]:
    """Keep what TensorFlow's libraries print about this machine, whatever their log level, from who did not ask."""
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def load_raw(path: Path) -> Any:
    """The saved model up to its raw outputs, before probabilities or values, which scoring in float64 starts from."""
    import keras

    model = load_model(path)
    return keras.Model(model.inputs[0], model.layers[-1].input)

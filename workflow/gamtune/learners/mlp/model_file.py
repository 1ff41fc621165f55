"""Check and load a saved network."""

import os
import sys
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gamtune.errors import DamagedError
from gamtune.files import check_file

MEMBERS = {"metadata.json", "config.json", "model.weights.h5"}  # files in a .keras archive
NO_ARCHIVE = "it is not a complete Keras model (a ZIP archive)"
# Errors of zipfile for an archive that is truncated, damaged, encrypted or has an unknown compression
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


def check_model_file(path: Path) -> None:
    """Check that a file is a complete Keras archive, without loading it.

    Raises
    ------
    DamagedError
        If the file is damaged or is not a Keras archive.
    FileNotFoundError
        If there is no such file.
    """
    check_file(path)
    if not zipfile.is_zipfile(path):
        raise DamagedError(path, NO_ARCHIVE)
    try:
        with zipfile.ZipFile(path) as archive:
            damaged, names = archive.testzip(), archive.namelist()
    except UNREADABLE:
        raise DamagedError(path, NO_ARCHIVE) from None
    if damaged is not None:
        raise DamagedError(path, f"the content of {damaged} does not match its checksum")
    if not MEMBERS.issubset(names):
        raise DamagedError(path, "it is an archive, but not a Keras model")


def load_model(path: Path, shape: tuple[int, int] | None = None) -> Any:
    """Return the Keras model of a ``.keras`` file, ready to predict.

    Keras' safe mode rejects files that contain code. The state of the optimizer is not loaded.

    Parameters
    ----------
    path : Path
        A file that ``model.save`` has written.
    shape : (inputs, outputs), optional
        Numbers of inputs and outputs that the model must have.

    Raises
    ------
    DamagedError
        If the file is not a Keras model, contains a Lambda layer, or has another number of inputs or outputs.
    FileNotFoundError
        If there is no such file.
    """
    check_model_file(path)
    with _without_banner():
        import keras

        try:
            model = keras.saving.load_model(path, compile=False, safe_mode=True)
        except (ValueError, TypeError, KeyError, OSError) as error:  # the archive is complete, but is another model
            raise DamagedError(path, f"Keras cannot load it: {str(error).strip().partition(chr(10))[0]}") from None
    shapes = tuple(getattr(model, name, None) for name in ("input_shape", "output_shape"))
    if shape is not None and shapes != ((None, shape[0]), (None, shape[1])):
        problem = f"it has inputs of shape {shapes[0]} and outputs of shape {shapes[1]}"
        raise DamagedError(
            path, f"{problem}, expected {shape[0]} inputs and {shape[1]} outputs: it belongs to other data"
        )
    return model


@contextmanager
def _without_banner() -> Iterator[None]:
    """Hide the lines that TensorFlow's libraries print to standard error at every log level."""
    sys.stderr.flush()
    stderr = os.dup(2)
    with open(os.devnull, "w") as null:
        os.dup2(null.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


def load_raw(path: Path, shape: tuple[int, int] | None = None) -> Any:
    """Return the saved model without its last layer, for scoring in float64; see `load_model`."""
    import keras

    model = load_model(path, shape)
    return keras.Model(model.inputs[0], model.layers[-1].input)

"""A saved network, read back."""

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

MEMBERS = {"metadata.json", "config.json", "model.weights.h5"}  # of a .keras file
NO_ARCHIVE = "it is not a whole Keras model (a ZIP archive)"
# What zipfile raises for an archive that is cut off, has changed bytes, is encrypted or is compressed in another way
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


def check_model_file(path: Path) -> None:
    """Check that a file is a whole Keras archive, without loading it.

    Raises
    ------
    DamagedError
        If it is not.
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

    Safe mode refuses code that is hidden in the file; the optimizer's state is left behind.

    Parameters
    ----------
    path : Path
        A file that ``model.save`` wrote.
    shape : (inputs, outputs), optional
        Numbers of inputs and outputs that the model must have.

    Raises
    ------
    DamagedError
        If the file is no Keras model, holds a Lambda layer, or has other inputs or outputs.
    FileNotFoundError
        If there is no such file.
    """
    check_model_file(path)
    with _without_banner():
        import keras

        try:
            model = keras.saving.load_model(path, compile=False, safe_mode=True)
        except (ValueError, TypeError, KeyError, OSError) as error:  # the archive is whole, but of another model
            raise DamagedError(path, f"Keras cannot load it: {str(error).strip().partition(chr(10))[0]}") from None
    found = tuple(getattr(model, name, None) for name in ("input_shape", "output_shape"))
    if shape is not None and found != ((None, shape[0]), (None, shape[1])):
        words = f"it has inputs of shape {found[0]} and outputs of shape {found[1]}"
        raise DamagedError(
            path, f"{words}, expected {shape[0]} inputs and {shape[1]} outputs: it belongs to other data"
        )
    return model


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


def load_raw(path: Path, shape: tuple[int, int] | None = None) -> Any:
    """Return the saved model up to its raw outputs, which scoring in float64 starts from; see `load_model`."""
    import keras

    model = load_model(path, shape)
    return keras.Model(model.inputs[0], model.layers[-1].input)

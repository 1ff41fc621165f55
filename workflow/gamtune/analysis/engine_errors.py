"""Conversion of errors of the GAM engine to `InputError`."""

from collections.abc import Iterator
from contextlib import contextmanager

from gamtune.errors import InputError
from gamtune.gam.errors import GamError


@contextmanager
def input_errors(source: str = "") -> Iterator[None]:
    """Raise an error of the engine as an `InputError` with the same message.

    Parameters
    ----------
    source : str
        File that the message refers to; empty if the caller adds it.

    Raises
    ------
    InputError
        If the block raises a `GamError`.
    """
    try:
        yield
    except GamError as error:
        raise InputError([str(error)], source) from None

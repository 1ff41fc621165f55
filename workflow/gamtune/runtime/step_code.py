"""Fingerprints of the code of the steps, except the one that trains."""

from gamtune.files import sha256_of
from gamtune.registry import Implementation
from gamtune.runtime.environment import LIBRARY
from gamtune.runtime.fingerprint import code_fingerprint


def code_of(module: str, *implementations: Implementation) -> str:
    """Return a short fingerprint of the code that the result of a step depends on.

    The fingerprint is a parameter of the rule of the step. Therefore a change of the code runs the step again, but not
    a new modification time, a changed docstring or another path of the project. The modules that read the config are
    excluded, since their results (sections with defaults, the table, specifications) are parameters of each step.

    Parameters
    ----------
    module : str
        Name of the module of the step.
    *implementations : Implementation
        Implementations of extension points that the step loads from registries.
    """
    without = ("gamtune/config/", "gamtune/errors.py")
    return code_fingerprint(module, without=without, implementations=implementations)[:16]


def template_of(name: str) -> str:
    """Return a short fingerprint of a file of the library that is not code."""
    return sha256_of(LIBRARY / "gamtune" / name)[:16]

"""Generalised additive models with the terms, criteria and tests of R's mgcv, fitted by pyGAM.

The package imports no other part of gamtune. `GAM` is loaded when it is first used, because the formula is also checked
where pandas and pyGAM are not needed.

Examples
--------
>>> import numpy as np
>>> from gamtune.gam import GAM
>>> x = np.linspace(0, 1, 50)
>>> model = GAM("y ~ s(x, k=6)").fit({"x": x, "y": np.sin(6 * x)})
>>> round(model.fitted.deviance_explained, 2)
1.0
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gamtune.gam.errors import DataError, FormulaError, GamError, TooFewRows

if TYPE_CHECKING:
    from gamtune.gam.api import GAM

__all__ = ["GAM", "DataError", "FormulaError", "GamError", "TooFewRows"]


def __getattr__(name: str) -> Any:
    """Import `GAM` when it is first used.

    Raises
    ------
    AttributeError
        If the package has no such name.
    """
    if name == "GAM":
        return import_module("gamtune.gam.api").GAM
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""The one-standard-error rule: the smallest network whose error is within one standard error of the lowest.

Source: Breiman, Friedman, Olshen and Stone (1984), Classification and Regression Trees, section 3.4.3; tidymodels'
``select_by_one_std_err``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from gamtune.analysis.columns import RESPONSE
from gamtune.errors import InputError
from gamtune.results.trial_table import CONFIGURATION

if TYPE_CHECKING:  # at run time, the step `select` does not need the engine of the model
    from gamtune.gam.model import FittedGam


@dataclass(frozen=True)
class Sized:
    """A configuration with its mean error and the number of weights of its network."""

    name: str
    error: float
    weights: int


def standard_error(best: str, trials: pd.DataFrame, model: Callable[[], FittedGam]) -> tuple[float, str]:
    """Return the standard error of the error of the best configuration.

    Parameters
    ----------
    best : str
        Identifier of the best configuration.
    trials : DataFrame
        Lines of ``summary.csv`` of the finished trials.
    model : callable
        Returns the additive model of the error, or raises `InputError`. It is called if the best configuration has only
        one trial.

    Returns
    -------
    error : float
        The standard error.
    source : str
        What it is computed from, in words.

    Raises
    ------
    InputError
        If the best configuration has only one trial and there is no model.
    """
    errors = trials.loc[trials[CONFIGURATION] == best, RESPONSE]
    if len(errors) > 1:
        return float(errors.std() / math.sqrt(len(errors))), f"of its {len(errors)} trials"
    try:
        fitted = model()
    except InputError as error:
        problem = "there is no standard error: each configuration has one trial, and there is no additive model"
        raise InputError([f"{problem} ({error})"]) from None
    residual = math.sqrt(fitted.scale)
    return residual * float(errors.iloc[0]) if fitted.response.log else residual, "residual of the additive model"


def smallest_within(configurations: Sequence[Sized], error: float) -> Sized:
    """Return the smallest configuration whose error is at most the lowest plus ``error``; ties go to the lower error.

    Examples
    --------
    >>> smallest_within([Sized("a", 0.05, 900), Sized("b", 0.06, 100), Sized("c", 0.07, 10)], 0.012).name
    'b'
    """
    limit = min(entry.error for entry in configurations) + error
    return min(
        (entry for entry in configurations if entry.error <= limit), key=lambda entry: (entry.weights, entry.error)
    )

"""The one-standard-error rule: the smallest network whose error is within one standard error of the best row's.

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
from gamtune.analysis.comparable import CONFIGURATION
from gamtune.errors import InputError

if TYPE_CHECKING:  # the selection need not load what fits the model
    from gamtune.gam.model import FittedGam


@dataclass(frozen=True)
class Sized:
    """A row or candidate as the rule sees it: its name, its mean error and how large its network is."""

    name: str
    error: float
    weights: int


def standard_error(best: str, trainings: pd.DataFrame, model: Callable[[], FittedGam]) -> tuple[float, str]:
    """Standard error of the best row's error, and where it is from.

    Parameters
    ----------
    best : str
        Identifier of the best configuration.
    trainings : data frame
        The finished lines of ``summary.csv``, one a training.
    model : callable
        Returns the additive model of the error, or raises `InputError`; called if the best row was trained only once.

    Raises
    ------
    InputError
        If the best row was trained only once and there is no model.
    """
    errors = trainings.loc[trainings[CONFIGURATION] == best, RESPONSE]
    if len(errors) > 1:
        return float(errors.std() / math.sqrt(len(errors))), f"of its {len(errors)} trainings"
    try:
        fitted = model()
    except InputError as error:
        problem = "no standard error is known: each row was trained once, and there is no additive model"
        raise InputError([f"{problem} ({error})"]) from None
    residual = math.sqrt(fitted.scale)
    return residual * float(errors.iloc[0]) if fitted.response.log else residual, "residual of the additive model"


def smallest_within(rows: Sequence[Sized], error: float) -> Sized:
    """The smallest of the rows whose error is at most the lowest plus ``error``; of equally small the better.

    Examples
    --------
    >>> smallest_within([Sized("a", 0.05, 900), Sized("b", 0.06, 100), Sized("c", 0.07, 10)], 0.012).name
    'b'
    """
    limit = min(row.error for row in rows) + error
    return min((row for row in rows if row.error <= limit), key=lambda row: (row.weights, row.error))

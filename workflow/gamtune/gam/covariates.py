"""The values of a formula's variables in a table, on the scale on which the model sees them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gamtune.errors import InputError
from gamtune.gam.terms import Variable
from gamtune.numbers import compact

FloatArray = npt.NDArray[np.float64]
BASES = {"log": np.e, "log10": 10.0, "log2": 2.0}


def numbers(table: pd.DataFrame, column: str) -> FloatArray:
    """Return a column as float64, missing values as NaN.

    Raises
    ------
    InputError
        If a cell is not a number; the line names its row, counted from 1 by a table's default index.
    """
    values = table[column]
    converted = pd.to_numeric(values, errors="coerce").astype(np.float64)
    wrong = (converted.isna() & values.notna()).to_numpy()
    if wrong.any():
        raise InputError([f"{_first_cell(values, wrong)} is not a number"])
    return np.asarray(converted, dtype=np.float64)


def covariate(table: pd.DataFrame, variable: Variable) -> FloatArray:
    """Return a variable's values, (n,): its column's, or their logarithms.

    Raises
    ------
    InputError
        If a cell is not a number, or not above 0 where a logarithm is taken; the line names its row.
    """
    values = numbers(table, variable.column)
    if not variable.logarithm:
        return values
    wrong = values <= 0
    if wrong.any():
        cell = _first_cell(table[variable.column], wrong)
        raise InputError([f"{variable}: {cell} has no logarithm, which needs values above 0"])
    return np.asarray(getattr(np, variable.logarithm)(values), dtype=np.float64)


def covariates(table: pd.DataFrame, variables: Sequence[Variable]) -> FloatArray:
    """Return the values of several variables, (n, variables); errors as `covariate` raises them."""
    return np.column_stack([covariate(table, variable) for variable in variables])


def natural(variable: Variable, values: FloatArray) -> FloatArray:
    """Return a variable's values in the units of its column: the inverse of `covariate`."""
    return BASES[variable.logarithm] ** values if variable.logarithm else values


def span(table: pd.DataFrame, variable: Variable, points: int) -> FloatArray:
    """Return points over the observed range of a variable, evenly spaced on its scale, in the units of its column."""
    column = numbers(table, variable.column)
    first, last = float(column.min()), float(column.max())
    low, high = covariate(pd.DataFrame({variable.column: [first, last]}), variable).tolist()
    places = natural(variable, np.linspace(low, high, points))
    places[0], places[-1] = first, last  # without the rounding of a logarithm
    return np.clip(places, first, last)


def _first_cell(values: pd.Series[Any], wrong: npt.NDArray[np.bool_]) -> str:
    """Name the first wrong cell: its row, its column and what it holds."""
    place = int(wrong.argmax())
    row = values.index[place]
    value = values.iloc[place]
    number = row + 1 if isinstance(row, int | np.integer) else row
    shown = repr(value) if isinstance(value, str) else compact(float(value), 6)
    return f"row {number}, column {str(values.name)!r}: {shown}"

"""The values of a formula's variables in a table, on the scale on which the model uses them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gamtune.gam.errors import DataError
from gamtune.gam.terms import Variable

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BASES = {"log": np.e, "log10": 10.0, "log2": 2.0}


def numbers(table: pd.DataFrame, column: str) -> FloatArray:
    """Return a column as float64.

    Parameters
    ----------
    table : DataFrame
        The rows.
    column : str
        Name of the column.

    Returns
    -------
    (n,) float64
        NaN where a value is missing.

    Raises
    ------
    DataError
        If a cell is not a number; the message names its row, counted from 1 if the table has its default index.
    """
    values = table[column]
    converted = pd.to_numeric(values, errors="coerce").astype(np.float64)
    wrong = (converted.isna() & values.notna()).to_numpy()
    if wrong.any():
        raise DataError(f"{_first_cell(values, wrong)} is not a number")
    return np.asarray(converted, dtype=np.float64)


def covariate(table: pd.DataFrame, variable: Variable) -> FloatArray:
    """Return the values of a variable: those of its column, or their logarithms.

    Parameters
    ----------
    table : DataFrame
        The rows.
    variable : Variable
        The covariate.

    Returns
    -------
    (n,) float64
        Values on the scale of the model.

    Raises
    ------
    DataError
        If a cell is not a number, or is not above 0 where the logarithm is taken; the message names its row.
    """
    values = numbers(table, variable.column)
    if not variable.logarithm:
        return values
    wrong = values <= 0
    if wrong.any():
        cell = _first_cell(table[variable.column], wrong)
        raise DataError(f"{variable}: {cell} has no logarithm, which needs values above 0")
    return np.asarray(getattr(np, variable.logarithm)(values), dtype=np.float64)


def covariates(table: pd.DataFrame, variables: Sequence[Variable]) -> FloatArray:
    """Return the values of several variables, (n, variables), as `covariate` returns each of them."""
    return np.column_stack([covariate(table, variable) for variable in variables])


def natural(variable: Variable, values: FloatArray) -> FloatArray:
    """Return values of a variable in the units of its column: the inverse of `covariate`."""
    return BASES[variable.logarithm] ** values if variable.logarithm else values


def span(table: pd.DataFrame, variable: Variable, points: int) -> FloatArray:
    """Return points over the observed range of a variable.

    Parameters
    ----------
    table : DataFrame
        The observed rows.
    variable : Variable
        The covariate.
    points : int
        Number of points.

    Returns
    -------
    (points,) float64
        In the units of the column, evenly spaced on the scale of the model.
    """
    column = numbers(table, variable.column)
    first, last = float(column.min()), float(column.max())
    low, high = covariate(pd.DataFrame({variable.column: [first, last]}), variable).tolist()
    places = natural(variable, np.linspace(low, high, points))
    places[0], places[-1] = first, last  # a logarithm and its inverse are rounded
    return np.clip(places, first, last)


def _first_cell(values: pd.Series[Any], wrong: npt.NDArray[np.bool_]) -> str:
    """Return the row, the column and the content of the first invalid cell."""
    place = int(wrong.argmax())
    row = values.index[place]
    value = values.iloc[place]
    number = row + 1 if isinstance(row, int | np.integer) else row
    shown = repr(value) if isinstance(value, str) else f"{float(value):.6g}"
    return f"row {number}, column {str(values.name)!r}: {shown}"

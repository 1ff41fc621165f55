"""The lowest point of the GAM inside the observed range, as settings that a network can be trained with.

The model is additive, so each group of columns that share a term is minimised by itself on a grid. A group of several
columns stays near the rows: only grid points within a tenth of the range of some row count (mgcv's ``too.far``). A
column is searched on the scale on which the formula takes it: evenly in its logarithm for ``s(log(column))``.
"""

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gamtune.config.settings import OPTIMIZER_SETTINGS, SETTINGS
from gamtune.errors import InputError
from gamtune.gam.covariates import covariates, span
from gamtune.gam.model import FittedGam
from gamtune.gam.terms import Variable
from gamtune.spec import Spec

POINTS = 200  # on the axis of a column that stands alone
POINTS_SHARED = 40  # on each axis of columns that share a term
TOO_FAR = 0.1
FEW_LEVELS = 12  # a column with no more distinct values keeps to them


def gam_optimum(fitted: FittedGam, best: Spec) -> tuple[dict[str, Any], float]:
    """Find the lowest point.

    Parameters
    ----------
    fitted : FittedGam
        The model of the error, with the rows it was fitted to.
    best : Spec
        The best row: what the model says nothing of is taken from it.

    Returns
    -------
    settings : dict
        The settings of the lowest point.
    predicted : float
        The model's error there, on the scale of the mse.

    Raises
    ------
    InputError
        If no point of the grid lies inside the observed range.
    """
    rows = fitted.rows
    point: dict[str, Any] = {name: rows[name].iloc[0] for name in fitted.formula.columns}
    for group in _groups(fitted):
        grid = _grid(group, fitted, best.depth)
        if grid.empty:
            raise InputError([f"no point of {', '.join(group)} lies inside the observed range"])
        table = pd.DataFrame([point] * len(grid)).assign(**{name: grid[name].to_numpy() for name in group})
        lowest = int(np.argmin(fitted.predict(table)))
        point |= {name: grid[name].iloc[lowest] for name in group}
    settings = _settings(point, best)
    predicted = float(fitted.predict(pd.DataFrame([point]))[0])
    return settings, float(np.exp(predicted)) if fitted.response.log else predicted


def _groups(fitted: FittedGam) -> list[list[str]]:
    """Columns that are chosen together: those of terms that share one, and depth with sum_neurons, which a width ties
    together.
    """
    groups: list[list[str]] = []
    for columns in [[variable.column for variable in term.variables] for term in fitted.formula.terms]:
        tied = [group for group in groups if set(group) & set(columns) or _make_a_width(group, columns)]
        joined = dict.fromkeys([*itertools.chain(*tied), *columns])
        groups = [group for group in groups if group not in tied] + [list(joined)]
    return groups


def _make_a_width(*groups: list[str]) -> bool:
    return all({"depth", "sum_neurons"} & set(group) for group in groups)


def _grid(group: list[str], fitted: FittedGam, depth: int) -> pd.DataFrame:
    """Points to look at: the observed values of a column with few, otherwise equal steps over its observed range."""
    points = POINTS if len(group) == 1 else POINTS_SHARED
    scales = {
        name: [variable for _, variable in fitted.formula.variables() if variable.column == name] for name in group
    }
    axes = [_axis(fitted.rows, scales[name], points) for name in group]
    grid = pd.DataFrame(list(itertools.product(*axes)), columns=group)
    inside = np.ones(len(grid), dtype=bool)
    if len(group) > 1:
        inside = _near(grid, fitted.rows, [variables[-1] for variables in scales.values()])
    if "sum_neurons" in group:
        inside &= _has_observed_width(grid, fitted.rows, depth)
    return grid[inside].reset_index(drop=True)


def _has_observed_width(grid: pd.DataFrame, rows: pd.DataFrame, depth: int) -> npt.NDArray[np.bool_]:
    """Whether the neurons a layer lie between those of the rows; ``depth`` serves where it is no column."""
    width, observed = (table["sum_neurons"] / table.get("depth", depth) for table in (grid, rows))
    return width.between(observed.min(), observed.max()).to_numpy(dtype=bool)


def _axis(rows: pd.DataFrame, scales: list[Variable], points: int) -> npt.NDArray[Any]:
    """Points along a column, evenly spaced on every scale on which the formula takes it."""
    column = rows[scales[0].column]
    values = column.dropna().unique()
    if len(values) <= FEW_LEVELS or not pd.api.types.is_numeric_dtype(column):
        return np.sort(np.asarray(values))
    axis = np.unique(np.concatenate([span(rows, scale, points) for scale in scales]))
    return np.unique(np.round(axis)) if pd.api.types.is_integer_dtype(column) else axis


def _near(grid: pd.DataFrame, rows: pd.DataFrame, variables: list[Variable]) -> npt.NDArray[np.bool_]:
    """Whether a row lies within ``TOO_FAR`` of each grid point, all variables scaled to the unit interval."""
    numeric = [variable for variable in variables if pd.api.types.is_numeric_dtype(rows[variable.column])]
    observed, places = (covariates(table, numeric) for table in (rows, grid))
    width = np.ptp(observed, axis=0)
    width[width == 0] = 1
    near = np.zeros(len(grid), dtype=bool)
    for row in observed:
        near |= (((places - row) / width) ** 2).sum(axis=1) <= TOO_FAR**2
    return near


def _settings(point: dict[str, Any], best: Spec) -> dict[str, Any]:
    """A point of the model's columns as settings: what they leave open is the best row's."""
    settings = best.settings()
    if point.get("optimizer", best.optimizer) != best.optimizer:
        settings = {name: value for name, value in settings.items() if name not in OPTIMIZER_SETTINGS}
    settings |= {name: _builtin(name, value) for name, value in point.items() if name in SETTINGS}
    depth = settings.pop("depth", best.depth)
    if "sum_neurons" in point:
        settings["neurons"] = split_evenly(int(point["sum_neurons"]), depth)
    elif depth != best.depth:
        settings["neurons"] = split_evenly(round(depth * sum(best.neurons) / best.depth), depth)
    if "mean_hidden_dropout" in point:
        settings["hidden_dropout"] = [float(point["mean_hidden_dropout"])] * depth
    elif depth != best.depth:
        settings["hidden_dropout"] = [sum(best.hidden_dropout) / best.depth] * depth
    return settings


def split_evenly(total: int, parts: int) -> list[int]:
    """Whole numbers as equal as can be that sum to the total, at least 1 each.

    Examples
    --------
    >>> split_evenly(100, 3)
    [34, 33, 33]
    """
    return [max(1, total // parts + (part < total % parts)) for part in range(parts)]


def _builtin(name: str, value: Any) -> Any:
    """A number of pandas as the setting's own type; the grid's real numbers are rounded for whole settings."""
    setting = SETTINGS[name]
    if setting.kind is str:
        return str(value)
    return round(value) if setting.kind is int else float(value)

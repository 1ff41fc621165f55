"""The minimum of the GAM inside the observed range, as a configuration that can be trained.

The model is additive, so that each group of columns that share a term is minimised separately on a grid. For a group of
several columns, only grid points near the data are used: those within a tenth of the range of a configuration (mgcv's
``too.far``). The grid is even on the scale of the term: in the logarithm of the column for ``s(log(column))``.
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

POINTS = 200  # grid points of a column that shares no term
POINTS_SHARED = 40  # grid points per column for columns that share a term
TOO_FAR = 0.1  # share of the range
FEW_LEVELS = 12  # for a column with at most this many distinct values, the grid consists of these values


def gam_optimum(fitted: FittedGam, best: Spec) -> tuple[dict[str, Any], float]:
    """Find the minimum of the model inside the observed range.

    Parameters
    ----------
    fitted : FittedGam
        The model of the error.
    best : Spec
        The best configuration, which supplies the hyperparameters that are not in the model.

    Returns
    -------
    settings : dict
        The hyperparameters at the minimum.
    predicted : float
        The predicted error there, on the scale of the MSE.

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
    """Return the groups of columns that are minimised together.

    These are the columns of terms that share a column, and depth with sum_neurons, because their ratio is the width.
    """
    groups: list[list[str]] = []
    for columns in [[variable.column for variable in term.variables] for term in fitted.formula.terms]:
        tied = [group for group in groups if set(group) & set(columns) or _determine_width(group, columns)]
        joined = dict.fromkeys([*itertools.chain(*tied), *columns])
        groups = [group for group in groups if group not in tied] + [list(joined)]
    return groups


def _determine_width(*groups: list[str]) -> bool:
    return all({"depth", "sum_neurons"} & set(group) for group in groups)


def _grid(group: list[str], fitted: FittedGam, depth: int) -> pd.DataFrame:
    """Return the grid of a group, limited to points near the configurations."""
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
    """Return where the mean width is in the observed range; ``depth`` is used if the table has no such column."""
    width, observed = (table["sum_neurons"] / table.get("depth", depth) for table in (grid, rows))
    return width.between(observed.min(), observed.max()).to_numpy(dtype=bool)


def _axis(rows: pd.DataFrame, scales: list[Variable], points: int) -> npt.NDArray[Any]:
    """Return the grid along a column: its few distinct values, or even steps on each scale of the formula."""
    column = rows[scales[0].column]
    values = column.dropna().unique()
    if len(values) <= FEW_LEVELS or not pd.api.types.is_numeric_dtype(column):
        return np.sort(np.asarray(values))
    axis = np.unique(np.concatenate([span(rows, scale, points) for scale in scales]))
    return np.unique(np.round(axis)) if pd.api.types.is_integer_dtype(column) else axis


def _near(grid: pd.DataFrame, rows: pd.DataFrame, variables: list[Variable]) -> npt.NDArray[np.bool_]:
    """Return which grid points are within ``TOO_FAR`` of a configuration, with each variable scaled to [0, 1]."""
    numeric = [variable for variable in variables if pd.api.types.is_numeric_dtype(rows[variable.column])]
    observed, points = (covariates(table, numeric) for table in (rows, grid))
    width = np.ptp(observed, axis=0)
    width[width == 0] = 1
    near = np.zeros(len(grid), dtype=bool)
    for row in observed:
        near |= (((points - row) / width) ** 2).sum(axis=1) <= TOO_FAR**2
    return near


def _settings(point: dict[str, Any], best: Spec) -> dict[str, Any]:
    """Return the hyperparameters at a point of the model; those that it leaves open are taken from ``best``."""
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
    """Split a total into whole numbers that differ by at most 1, each at least 1.

    Examples
    --------
    >>> split_evenly(100, 3)
    [34, 33, 33]
    """
    return [max(1, total // parts + (part < total % parts)) for part in range(parts)]


def _builtin(name: str, value: Any) -> Any:
    """Return a value as the Python type of the hyperparameter, rounded if it takes whole numbers."""
    setting = SETTINGS[name]
    if setting.kind is str:
        return str(value)
    return round(value) if setting.kind is int else float(value)

"""The joint effect of two hyperparameters as a filled contour map, blank where there are no data."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import CenteredNorm
from matplotlib.contour import QuadContourSet
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gamtune.figures.theme import BEST, DATA, label_axis, new_figure
from gamtune.gam.terms import Variable
from gamtune.numbers import compact, percent, signed, typeset

BAND = 1.96  # standard errors on both sides: 95 %
LEVELS = 12
COLOURS = "PRGn_r"  # green lowers the error, purple raises it; colour-blind readers tell them apart
MOST_STRIPES = 8
FloatArray = npt.NDArray[np.float64]
Pair = tuple[Variable, Variable]
Masked = np.ma.MaskedArray[Any, Any]


def draw_surface(
    grid: pd.DataFrame, variables: Pair, title: str, response: str, rows: pd.DataFrame
) -> tuple[Figure, str]:
    """Return the figure of a term of two variables, and its caption.

    Parameters
    ----------
    grid : DataFrame
        Columns a, b, effect, se, null and far, on a rectangular grid.
    variables : tuple of Variable
        The variables a and b, in natural units; an axis is logarithmic if its variable is a logarithm.
    title : str
        The term with its effective degrees of freedom.
    response : str
        Response of the model.
    rows : DataFrame
        Configurations that the model was fitted to.
    """
    near = grid[~grid["far"].astype(bool)]
    figure = new_figure(6.4, 4.6)
    axes = figure.add_subplot()
    filled = _draw_effect(grid, variables, rows, axes)
    _draw_rows(rows, variables, axes)
    lowest = near.iloc[int(near["effect"].argmin())]
    axes.plot(lowest["a"], lowest["b"], "*", color=BEST, markersize=15, markeredgecolor="white", clip_on=False)
    _name_axes(axes, variables, rows)
    axes.set_title(title, fontsize=10)
    figure.colorbar(filled, ax=axes, label=f"effect on {response}")
    return figure, _in_words(near, lowest, variables)


def _draw_effect(grid: pd.DataFrame, variables: Pair, rows: pd.DataFrame, axes: Axes) -> QuadContourSet:
    """Fill the map with the effect, and hatch it where the effect is within the null band."""
    a, b = np.unique(grid["a"]), np.unique(grid["b"])
    effect, null, far = (
        grid.pivot_table(index="b", columns="a", values=name, dropna=False).to_numpy(float)
        for name in ("effect", "null", "far")
    )
    layers = np.ma.array(np.stack([effect, np.abs(effect) < null]), mask=np.stack([far > 0, far > 0]))
    a, layers = _striped(a, layers, 2, rows[variables[0].column])
    b, layers = _striped(b, layers, 1, rows[variables[1].column])
    shown, unsure = layers
    levels = MaxNLocator(LEVELS).tick_values(shown.min(), shown.max())
    filled = axes.contourf(a, b, shown, levels=levels, cmap=COLOURS, norm=CenteredNorm())
    if unsure.max() > 0:
        hatched = axes.contourf(a, b, unsure, levels=[0.5, 1.5], colors="none", hatches=["///"])
        hatched.set(edgecolor="#8C8C8C", linewidth=0)
    return filled


def _striped(positions: FloatArray, layers: Masked, axis: int, values: pd.Series) -> tuple[FloatArray, Masked]:
    """Return one stripe per number for a column of a few whole numbers, such as depth, which has no values between.

    Parameters
    ----------
    positions : (m,) float64
        The grid along the column.
    layers : masked array
        Values to draw; ``axis`` runs along ``positions``.
    values : Series
        Values of the column in the configurations.

    Returns
    -------
    tuple
        New positions and layers; each stripe consists of two equal columns between two blank ones.
    """
    numbers = np.unique(values)
    if len(numbers) > MOST_STRIPES or (numbers != numbers.round()).any():
        return positions, layers
    nearest = np.abs(positions[:, None] - numbers).argmin(axis=0)
    repeated = layers.take(np.repeat(nearest, 4), axis=axis)
    for edge in (0, 3):
        blank = [slice(None)] * layers.ndim
        blank[axis] = slice(edge, None, 4)
        repeated[tuple(blank)] = np.ma.masked
    return (numbers[:, None] + [-0.49, -0.42, 0.42, 0.49]).ravel(), repeated


def _draw_rows(rows: pd.DataFrame, variables: Pair, axes: Axes) -> None:
    """Draw the configurations as dots with a white edge, which is visible on dark colours."""
    dots: dict[str, Any] = {"color": DATA, "markersize": 4, "markeredgecolor": "white", "markeredgewidth": 0.5}
    axes.plot(rows[variables[0].column], rows[variables[1].column], "o", clip_on=False, **dots)


def _name_axes(axes: Axes, variables: Pair, rows: pd.DataFrame) -> None:
    axes.grid(visible=False)
    a, b = variables
    label_axis(axes, "x", a.column, rows[a.column], bool(a.logarithm), ticks=6)
    label_axis(axes, "y", b.column, rows[b.column], bool(b.logarithm), ticks=6)


def _in_words(near: pd.DataFrame, lowest: pd.Series, variables: Pair) -> str:
    a, b = (variable.column for variable in variables)
    highest = near.iloc[int(near["effect"].argmax())]
    low, high = (
        f"{signed(point['effect'], 3)} ± {compact(BAND * point['se'], 2)} at "
        f"{a} {typeset(compact(point['a']))}, {b} {typeset(compact(point['b'], 4))}"
        for point in (lowest, highest)
    )
    unsure = (near["effect"].abs() < near["null"]).mean()
    return (
        f"Joint effect of {a} and {b}: lowest {low} (star), highest {high}. Dots: configurations; blank: no "
        f"configuration is near; hatched ({percent(unsure, 0)} of the map): within the null band, which holds 95 % of "
        "the effects of noise."
    )

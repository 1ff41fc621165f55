"""The error over pairs of hyper-parameters, as the rows show it and without a model."""

from collections.abc import Sequence
from itertools import combinations
from math import ceil
from pathlib import Path

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.contour import QuadContourSet
from matplotlib.ticker import MaxNLocator

from gamtune.analysis.columns import RESPONSE, is_numeric, is_whole, on_its_scale
from gamtune.analysis.theme import BEST, DATA, STYLE, new_figure, save

COLOURS = "cividis"
MOST_COLUMNS = 4  # so at most six pairs
FEWEST_ROWS = 12
POINTS = 40
BANDWIDTH = 0.12  # of each range: rows that far away count for three fifths
FAR = 0.15  # of the ranges from every row: left blank


def draw_contours(rows: pd.DataFrame, columns: list[str], log_columns: set[str], path: Path) -> str | None:
    """Draw the pairs of the columns that go with the error most, and give the caption; None of too few."""
    numeric = [
        name for name in columns if is_numeric(rows[name]) and rows[name].nunique() > 2 and rows[name].notna().all()
    ]
    ranks = {name: abs(rows[name].rank().corr(rows[RESPONSE].rank())) for name in numeric}
    chosen = sorted(numeric, key=lambda name: -ranks[name])[:MOST_COLUMNS]
    if len(chosen) < 2 or len(rows) < FEWEST_ROWS:
        return None
    pairs = list(combinations(chosen, 2))
    errors = np.log10(rows[RESPONSE]) if rows[RESPONSE].min() > 0 else rows[RESPONSE]
    levels = MaxNLocator(10).tick_values(float(errors.quantile(0.02)), float(errors.quantile(0.98)))
    wide = min(3, len(pairs))
    with mpl.rc_context(STYLE):
        figure = new_figure(3.1 * wide + 0.8, 2.8 * ceil(len(pairs) / wide))
        grid = figure.subplots(ceil(len(pairs) / wide), wide, squeeze=False)
        for axes, (a, b) in zip(grid.flat, pairs, strict=False):
            filled = _draw(rows, (a, b), errors.to_numpy(float), levels, log_columns, axes)
        for axes in grid.flat[len(pairs) :]:
            axes.set_axis_off()
        name = f"log10({RESPONSE})" if rows[RESPONSE].min() > 0 else RESPONSE
        figure.colorbar(filled, ax=grid, label=name)
        save(figure, path)
    return (
        f"Mean error of the rows around each point (kernel of {BANDWIDTH:g} of each range), for pairs of the "
        f"{len(chosen)} columns that go with it most: {', '.join(chosen)}. Dots: the rows, orange the best; blank "
        "where no row is near. What else differs between the rows is not held fixed: the model's effects do that."
    )


def _draw(
    rows: pd.DataFrame,
    columns: tuple[str, str],
    errors: npt.NDArray[np.float64],
    levels: Sequence[float],
    log_columns: set[str],
    axes: Axes,
) -> QuadContourSet:
    names, places = zip(*(on_its_scale(rows[name], name, log_columns) for name in columns), strict=True)
    scaled = np.column_stack([(values - values.min()) / (values.max() - values.min()) for values in places])
    side = np.linspace(0, 1, POINTS)
    a, b = np.meshgrid(side, side)
    distances = ((np.stack([a, b], axis=-1)[:, :, None] - scaled) ** 2).sum(axis=-1)
    weights = np.exp(-distances / (2 * BANDWIDTH**2))
    smooth = np.ma.array((weights * errors).sum(axis=-1) / weights.sum(axis=-1), mask=distances.min(axis=-1) > FAR**2)
    low, span = (np.array([getattr(values, end)() for values in places]) for end in ("min", "max"))
    span = span - low
    filled = axes.contourf(
        low[0] + span[0] * a, low[1] + span[1] * b, smooth, levels=levels, cmap=COLOURS, extend="both"
    )
    axes.plot(*places, "o", color=DATA, markersize=2.8, markeredgecolor="white", markeredgewidth=0.4)
    best = int(errors.argmin())
    axes.plot(places[0].iloc[best], places[1].iloc[best], "o", color=BEST, markersize=6, markeredgecolor="white")
    for axis, name, column in zip((axes.xaxis, axes.yaxis), names, columns, strict=True):
        axis.set_label_text(name)
        axis.set_major_locator(MaxNLocator(4, integer=is_whole(rows[column])))
    axes.grid(visible=False)
    return filled

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

from gamtune.analysis.columns import RESPONSE, is_logarithmic, is_numeric, on_its_scale
from gamtune.figures.theme import BEST, DATA, STYLE, label_axis, log_ticks, new_figure, save
from gamtune.numbers import labels

COLOURS = "cividis"
MOST_COLUMNS = 4  # so at most six pairs
FEWEST_ROWS = 12
POINTS = 40
MOST_TICKS = 8  # of the colour bar
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
        bar = figure.colorbar(filled, ax=grid, label=RESPONSE)
        if rows[RESPONSE].min() > 0:  # drawn over logarithms, told in natural units
            ticks = log_ticks(10.0 ** levels[0], 10.0 ** levels[-1], MOST_TICKS)
            bar.set_ticks(np.log10(ticks).tolist(), labels=labels(ticks))
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
    places = [on_its_scale(rows[name], name, log_columns) for name in columns]
    logarithmic = [is_logarithmic(rows[name], name, log_columns) for name in columns]
    low, span = (np.array([getattr(values, end)() for values in places]) for end in ("min", "max"))
    span = span - low
    scaled = (np.column_stack(places) - low) / span
    side = np.linspace(0, 1, POINTS)
    a, b = np.meshgrid(side, side)
    distances = ((np.stack([a, b], axis=-1)[:, :, None] - scaled) ** 2).sum(axis=-1)
    weights = np.exp(-distances / (2 * BANDWIDTH**2))
    smooth = np.ma.array((weights * errors).sum(axis=-1) / weights.sum(axis=-1), mask=distances.min(axis=-1) > FAR**2)
    sides = [start + width * along for start, width, along in zip(low, span, (a, b), strict=True)]
    sides = [10**along if log else along for along, log in zip(sides, logarithmic, strict=True)]
    filled = axes.contourf(*sides, smooth, levels=levels, cmap=COLOURS, extend="both")
    axes.plot(rows[columns[0]], rows[columns[1]], "o", color=DATA, markersize=2.8, markeredgecolor="white",
              markeredgewidth=0.4)  # fmt: skip
    best = rows.iloc[int(errors.argmin())]
    axes.plot(best[columns[0]], best[columns[1]], "o", color=BEST, markersize=6, markeredgecolor="white")
    for which, name, log in zip(("x", "y"), columns, logarithmic, strict=True):
        label_axis(axes, "x" if which == "x" else "y", name, rows[name], log, ticks=4)
    axes.grid(visible=False)
    return filled

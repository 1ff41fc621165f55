"""The error over pairs of hyperparameters, smoothed without a model."""

from collections.abc import Collection, Iterator, Sequence
from itertools import combinations
from math import ceil

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.contour import QuadContourSet
from matplotlib.ticker import MaxNLocator

from gamtune.analysis.columns import RESPONSE, is_logarithmic, is_numeric, on_its_scale
from gamtune.config.settings import PER_LAYER
from gamtune.figures.figure import ReportFigure, SearchResults
from gamtune.figures.registry import Section
from gamtune.figures.theme import BEST, DATA, label_axis, log_ticks, new_figure
from gamtune.numbers import labels, signed

COLOURS = "cividis"
MOST_COLUMNS = 4  # at most six pairs
FEWEST_CONFIGURATIONS = 12
POINTS = 40
MOST_TICKS = 8  # of the colour bar
BANDWIDTH = 0.12  # standard deviation of the kernel, as a share of each range
FAR = 0.15  # distance to the nearest configuration, as a share of the ranges, beyond which the map is blank


def draw_contours(study: SearchResults) -> Iterator[ReportFigure]:
    """Draw the pairs of the columns with the strongest rank correlation with the error, if there are enough."""
    rows = study.comparable
    numeric = [
        name
        for name in study.columns
        if name not in PER_LAYER and is_numeric(rows[name]) and rows[name].nunique() > 2 and rows[name].notna().all()
    ]
    correlations = {name: rows[name].rank().corr(rows[RESPONSE].rank()) for name in numeric}
    chosen = sorted(numeric, key=lambda name: -abs(correlations[name]))[:MOST_COLUMNS]
    if len(chosen) < 2 or len(rows) < FEWEST_CONFIGURATIONS:
        return
    pairs = list(combinations(chosen, 2))
    errors = np.log10(rows[RESPONSE]) if rows[RESPONSE].min() > 0 else rows[RESPONSE]
    levels = MaxNLocator(10).tick_values(float(errors.quantile(0.02)), float(errors.quantile(0.98)))
    wide = min(3, len(pairs))
    figure = new_figure(3.1 * wide + 0.8, 2.8 * ceil(len(pairs) / wide))
    grid = figure.subplots(ceil(len(pairs) / wide), wide, squeeze=False)
    for axes, (a, b) in zip(grid.flat, pairs, strict=False):
        filled = _draw(rows, (a, b), errors.to_numpy(float), levels, study.log_columns, axes)
    for axes in grid.flat[len(pairs) :]:
        axes.set_axis_off()
    bar = figure.colorbar(filled, ax=grid, label=RESPONSE)
    if rows[RESPONSE].min() > 0:  # the levels are logarithms, the labels are in natural units
        ticks = log_ticks(10.0 ** levels[0], 10.0 ** levels[-1], MOST_TICKS)
        bar.set_ticks(np.log10(ticks).tolist(), labels=labels(ticks))
    listed = ", ".join(f"{name} {signed(correlations[name])}" for name in chosen)
    caption = (
        f"Mean {RESPONSE} of the configurations around each point (Gaussian kernel, standard deviation {BANDWIDTH:g} "
        f"of each range), for pairs of the {len(chosen)} columns with the strongest rank correlation with it: "
        f"{listed}. Dots: configurations; orange: the best; blank: no configuration is near. The other "
        "hyperparameters are not held fixed, unlike in the effects of the model."
    )
    yield ReportFigure("contours", figure, caption, Section.SEARCH)


def _draw(
    rows: pd.DataFrame,
    columns: tuple[str, str],
    errors: npt.NDArray[np.float64],
    levels: Sequence[float],
    log_columns: Collection[str],
    axes: Axes,
) -> QuadContourSet:
    """Draw one pair of columns; the errors are those of the configurations, on the scale of the levels."""
    positions = [on_its_scale(rows[name], name, log_columns) for name in columns]
    logarithmic = [is_logarithmic(rows[name], name, log_columns) for name in columns]
    low, span = (np.array([getattr(values, end)() for values in positions]) for end in ("min", "max"))
    span = span - low
    scaled = (np.column_stack(positions) - low) / span
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

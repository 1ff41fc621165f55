"""Every configuration as a line through all hyperparameters, dark if its error is low."""

from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize

from gamtune.analysis.columns import RESPONSE, is_logarithmic, is_numeric, on_its_scale, varies
from gamtune.config.settings import PER_LAYER
from gamtune.figures.figure import ReportFigure, SearchResults
from gamtune.figures.registry import Section
from gamtune.figures.theme import BEST, DATA, log_ticks, new_figure
from gamtune.numbers import compact, labels

COLOURS = "cividis"  # safe for colour-blind readers; dark is a low error
MOST_LABELS = 8
MOST_TICKS, ROOM = 4, 2.0  # of a logarithmic axis; ticks within this factor of an end are left out


def draw_parallel(study: SearchResults) -> Iterator[ReportFigure]:
    """Draw the configurations with the error as the last axis, if at least two columns vary."""
    rows, log_columns = study.comparable, study.log_columns
    columns = [name for name in study.columns if name not in PER_LAYER]
    shown = [name for name in [*columns, RESPONSE] if varies(rows[name])]
    if len(shown) < 3 or len(rows) < 2:
        return
    heights = np.column_stack([_heights(rows[name], name, log_columns) for name in shown])
    worst_first = np.argsort(-rows[RESPONSE].to_numpy(float), kind="stable")  # the best is drawn last, on top
    ranks = rows[RESPONSE].rank(pct=True).to_numpy()
    lines = [np.column_stack([np.arange(len(shown)), heights[row]]) for row in worst_first]
    figure = new_figure(max(6.4, 1.15 * len(shown) + 1), 4.2)
    axes = figure.add_subplot()
    collection = LineCollection(lines, cmap=COLOURS, linewidths=0.9, alpha=0.75)
    collection.set_array(ranks[worst_first])
    axes.add_collection(collection)
    best = int(rows[RESPONSE].to_numpy().argmin())
    axes.plot(np.arange(len(shown)), heights[best], color=BEST, linewidth=2.4)
    for position, name in enumerate(shown):
        axes.axvline(position, color=DATA, linewidth=0.8)
        for height, text in _labels(rows[name], name, log_columns):
            _annotate(axes, position, height, text, inside=is_numeric(rows[name]) and 0 < height < 1)
    axes.set_xticks(range(len(shown)), [name.replace("_", "\n") for name in shown], fontsize=8.5)
    axes.set_yticks([])
    axes.set_xlim(-0.4, len(shown) - 0.6)
    axes.set_ylim(-0.1, 1.1)
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    bar = figure.colorbar(ScalarMappable(Normalize(0, 1), COLOURS), ax=axes, ticks=[0, 0.5, 1], pad=0.02)
    bar.ax.set_yticklabels(["best", "median", "worst"])
    tenth = rows.nsmallest(max(3, len(rows) // 10), RESPONSE)
    ranges = [
        f"{name} {compact(tenth[name].min(), 4)} to {compact(tenth[name].max(), 4)}"
        for name in shown[:-1]
        if is_numeric(rows[name])
    ]
    caption = f"Each of the {len(rows)} configurations as a line, coloured by the rank of its error; orange: the best."
    if ranges:
        caption += f" The best {len(tenth)} configurations have {', '.join(ranges)}."
    yield ReportFigure("parallel_coordinates", figure, caption, Section.SEARCH)


def _heights(values: pd.Series, name: str, log_columns: Collection[str]) -> np.ndarray:
    """Return positions on an axis from 0 to 1; text is in alphabetical order, and a missing value is in the middle."""
    if not is_numeric(values):
        values = pd.Series(pd.Categorical(values.astype(str)).codes, index=values.index)
    numbers = on_its_scale(values, name, log_columns)
    return ((numbers - numbers.min()) / (numbers.max() - numbers.min())).fillna(0.5).to_numpy()


def _annotate(axes: Axes, position: int, height: float, text: str, inside: bool) -> None:
    """Write a label above or below an axis, or beside a tick inside it, on a white background."""
    style: dict[str, Any] = {"textcoords": "offset points", "fontsize": 8, "color": DATA}
    if inside:
        axes.plot([position - 0.03, position + 0.03], [height, height], color=DATA, linewidth=0.8)
        ground = {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 0.6}
        axes.annotate(text, (position, height), (5, 0), va="center", bbox=ground, zorder=4, **style)
    else:
        axes.annotate(text, (position, height), (0, -11 if height <= 0.5 else 4), ha="center", **style)


def _labels(values: pd.Series, name: str, log_columns: Collection[str]) -> list[tuple[float, str]]:
    """Return position and text of the labels: the ends of a numeric axis, ticks of a logarithmic one, or each text."""
    if is_numeric(values):
        low, high = float(values.min()), float(values.max())
        marks = [low, high]
        if is_logarithmic(values, name, log_columns):
            marks += [tick for tick in log_ticks(low, high, MOST_TICKS) if ROOM * low < tick < high / ROOM]
        heights = on_its_scale(pd.Series(marks), name, log_columns).to_numpy()
        return list(zip((heights - heights[0]) / (heights[1] - heights[0]), labels(marks), strict=True))
    levels = sorted(values.dropna().astype(str).unique())
    positions = np.linspace(0, 1, len(levels))
    return list(zip(map(float, positions), levels, strict=True))[:MOST_LABELS]

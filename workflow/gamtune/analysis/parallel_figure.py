"""Every row as a line through all hyper-parameters, dark where its error is low."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize

from gamtune.analysis.columns import RESPONSE, is_numeric, on_its_scale, varies
from gamtune.analysis.theme import BEST, DATA, STYLE, new_figure, save
from gamtune.numbers import compact, labels

COLOURS = "cividis"  # made for colour-blind readers; dark is a low error
MOST_LABELS = 8


def draw_parallel(rows: pd.DataFrame, columns: list[str], log_columns: set[str], path: Path) -> str | None:
    """Draw the rows, the error the last axis, and give the caption; None where fewer than two columns vary."""
    shown = [name for name in [*columns, RESPONSE] if varies(rows[name])]
    if len(shown) < 3 or len(rows) < 2:
        return None
    heights = np.column_stack([_heights(rows[name], name, log_columns) for name in shown])
    worst_first = np.argsort(-rows[RESPONSE].to_numpy(float), kind="stable")  # the best is drawn last, on top
    ranks = rows[RESPONSE].rank(pct=True).to_numpy()
    lines = [np.column_stack([np.arange(len(shown)), heights[row]]) for row in worst_first]
    with mpl.rc_context(STYLE):
        figure = new_figure(max(6.4, 1.15 * len(shown) + 1), 4.2)
        axes = figure.add_subplot()
        collection = LineCollection(lines, cmap=COLOURS, linewidths=0.9, alpha=0.75)
        collection.set_array(ranks[worst_first])
        axes.add_collection(collection)
        best = int(rows[RESPONSE].to_numpy().argmin())
        axes.plot(np.arange(len(shown)), heights[best], color=BEST, linewidth=2.4)
        for place, name in enumerate(shown):
            axes.axvline(place, color=DATA, linewidth=0.8)
            for height, text in _labels(rows[name]):
                below = -11 if height <= 0.5 else 4
                axes.annotate(
                    text, (place, height), (0, below), textcoords="offset points", fontsize=8, color=DATA, ha="center"
                )
        axes.set_xticks(range(len(shown)), [_wrapped(name, name in log_columns) for name in shown], fontsize=8.5)
        axes.set_yticks([])
        axes.set_xlim(-0.4, len(shown) - 0.6)
        axes.set_ylim(-0.1, 1.1)
        axes.grid(visible=False)
        for spine in axes.spines.values():
            spine.set_visible(False)
        bar = figure.colorbar(ScalarMappable(Normalize(0, 1), COLOURS), ax=axes, ticks=[0, 0.5, 1], pad=0.02)
        bar.ax.set_yticklabels(["best", "median", "worst"])
        save(figure, path)
    tenth = rows.nsmallest(max(3, len(rows) // 10), RESPONSE)
    told = [
        f"{name} {compact(tenth[name].min(), 4)} to {compact(tenth[name].max(), 4)}"
        for name in shown[:-1]
        if is_numeric(rows[name])
    ]
    return (
        f"Each of the {len(rows)} rows as a line, coloured by the rank of its error; orange: the best. The best "
        f"{len(tenth)} rows have {', '.join(told)}."
    )


def _heights(values: pd.Series, name: str, log_columns: set[str]) -> np.ndarray:
    """Places on an axis from 0 to 1; texts in their order, a missing value in the middle."""
    if not is_numeric(values):
        values = pd.Series(pd.Categorical(values.astype(str)).codes, index=values.index)
    _, numbers = on_its_scale(values, name, log_columns)
    return ((numbers - numbers.min()) / (numbers.max() - numbers.min())).fillna(0.5).to_numpy()


def _labels(values: pd.Series) -> list[tuple[float, str]]:
    """The ends of a numeric axis, or each text."""
    if is_numeric(values):
        return list(zip((0.0, 1.0), labels([values.min(), values.max()]), strict=True))
    levels = sorted(values.dropna().astype(str).unique())
    places = np.linspace(0, 1, len(levels))
    return list(zip(map(float, places), levels, strict=True))[:MOST_LABELS]


def _wrapped(name: str, logarithmic: bool) -> str:
    return ("log10\n" if logarithmic else "") + name.replace("_", "\n")

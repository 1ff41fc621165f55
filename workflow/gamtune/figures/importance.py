"""Which hyper-parameters matter: each measure of importance with its intervals, above what noise reaches."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from gamtune.figures.theme import BEST, DATA, EFFECT, NOISE, STYLE, new_figure, save
from gamtune.numbers import percent

LONG = 24  # characters of a name from which it is broken
TITLES = {
    "deviance_share": "deviance share (model)",
    "permutation": "permutation importance (model)",
    "ped_anova": "PED-ANOVA (no model)",
}


def draw_importance(importance: pd.DataFrame, path: Path) -> str:
    """Draw ``importance.csv``, one panel a measure, and give the caption."""
    measures = [measure for measure in TITLES if (importance["measure"] == measure).any()]
    longest = int(importance.groupby("measure").size().max())
    with mpl.rc_context(STYLE):
        figure = new_figure(4.0 * len(measures) + 0.6, 0.34 * longest + 1.1)
        for axes, measure in zip(np.atleast_1d(figure.subplots(1, len(measures))), measures, strict=True):
            _draw(importance[importance["measure"] == measure], axes)
            axes.set_title(TITLES[measure], fontsize=10)
        save(figure, path)
    words = [_in_words(importance[importance["measure"] == measure], TITLES[measure]) for measure in measures]
    return " ".join(
        [
            "Importance with 95 % bootstrap interval; grey: what noise stays below 95 % of the time; orange: above it.",
            *words,
        ]
    )


def _draw(lines: pd.DataFrame, axes: Axes) -> None:
    ordered = lines.sort_values("importance")
    places = np.arange(len(ordered))
    axes.barh(places, ordered["null_high"], 0.8, color=NOISE)
    axes.hlines(places, ordered["low"], ordered["high"], color=EFFECT, linewidth=1.6)
    clear = (ordered["importance"] > ordered["null_high"]).to_numpy()
    axes.scatter(ordered["importance"], places, s=28, zorder=3, color=[BEST if yes else DATA for yes in clear])
    axes.axvline(0, color=DATA, linewidth=0.9, linestyle=(0, (4, 3)))
    axes.set_yticks(places, [_in_lines(name) for name in ordered["name"]])
    axes.set_xlabel("share")
    axes.grid(visible=False, axis="y")


def _in_lines(name: str) -> str:
    """Return a term of several variables in one line per variable if it is long."""
    return name.replace(",", ",\n") if len(name) > LONG else name


def _in_words(lines: pd.DataFrame, title: str) -> str:
    """The most important, how often it stays so, and how many are above noise."""
    first = lines.sort_values("rank").iloc[0]
    above = int((lines["importance"] > lines["null_high"]).sum())
    return (
        f"{title[0].upper()}{title[1:]}: {first['name']} is first, and stays first in {percent(first['first'], 0)} of "
        f"the bootstrap samples; {above} of {len(lines)} are above noise."
    )

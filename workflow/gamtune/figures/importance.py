"""Importance of the hyperparameters by each measure, with intervals and the level of noise."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from gamtune.figures.figure import ReportFigure, SearchResults
from gamtune.figures.registry import Section
from gamtune.figures.theme import BEST, DATA, EFFECT, NOISE, new_figure
from gamtune.numbers import percent
from gamtune.results.artefacts import read_artefact
from gamtune.results.layout import StudyFolder

LONG = 24  # number of characters from which a name is broken into lines
TITLES = {
    "deviance_share": "deviance share (model)",
    "permutation": "permutation importance (model)",
    "ped_anova": "PED-ANOVA (no model)",
}


def draw_importance(study: SearchResults) -> Iterator[ReportFigure]:
    """Draw ``gam/importance.csv`` with one panel per measure, if the file exists."""
    path = StudyFolder(study.folder).gam.importance
    if not path.exists():
        return
    importance = read_artefact(path)
    measures = [measure for measure in TITLES if (importance["measure"] == measure).any()]
    longest = int(importance.groupby("measure").size().max())
    figure = new_figure(4.0 * len(measures) + 0.6, 0.34 * longest + 1.1)
    for axes, measure in zip(np.atleast_1d(figure.subplots(1, len(measures))), measures, strict=True):
        _draw(importance[importance["measure"] == measure], axes)
        axes.set_title(TITLES[measure], fontsize=10)
    sentences = [_in_words(importance[importance["measure"] == measure], TITLES[measure]) for measure in measures]
    legend = "Importance with 95 % bootstrap intervals. Grey: range of 95 % of noise; orange: above it."
    yield ReportFigure("importance", figure, " ".join([legend, *sentences]), Section.IMPORTANCE)


def _draw(lines: pd.DataFrame, axes: Axes) -> None:
    ordered = lines.sort_values("importance")
    positions = np.arange(len(ordered))
    axes.barh(positions, ordered["null_high"], 0.8, color=NOISE)
    axes.hlines(positions, ordered["low"], ordered["high"], color=EFFECT, linewidth=1.6)
    clear = (ordered["importance"] > ordered["null_high"]).to_numpy()
    axes.scatter(ordered["importance"], positions, s=28, zorder=3, color=[BEST if yes else DATA for yes in clear])
    axes.axvline(0, color=DATA, linewidth=0.9, linestyle=(0, (4, 3)))
    axes.set_yticks(positions, [_in_lines(name) for name in ordered["name"]])
    axes.set_xlabel("share")
    axes.grid(visible=False, axis="y")


def _in_lines(name: str) -> str:
    """Return the name of a term, with one line per variable if it is long."""
    return name.replace(",", ",\n") if len(name) > LONG else name


def _in_words(lines: pd.DataFrame, title: str) -> str:
    """Return which name ranks first, how often it does so in the bootstrap samples, and how many are above noise."""
    first = lines.sort_values("rank").iloc[0]
    above = int((lines["importance"] > lines["null_high"]).sum())
    return (
        f"{title[0].upper()}{title[1:]}: {first['name']} ranks first, and does so in {percent(first['first'], 0)} of "
        f"the bootstrap samples; {above} of {len(lines)} are above the noise."
    )

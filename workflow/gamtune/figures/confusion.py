"""Confusion matrix of the optimum on the test set."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from gamtune.figures.figure import OptimumResults, ReportFigure
from gamtune.figures.registry import Section
from gamtune.figures.theme import BEST, DATA, new_figure, shown
from gamtune.numbers import percent

INCHES_PER_CHARACTER = 0.08  # of the name of a class, beside and below the matrix
MOST_NUMBERS = 26  # number of classes up to which the cells show their counts


def draw_confusion(study: OptimumResults) -> Iterator[ReportFigure]:
    """Draw how many test samples of each class are predicted as each class."""
    samples, classes = study.predictions, study.classes
    if not classes:
        return
    counts = pd.crosstab(samples["actual"], samples["predicted"]).reindex(index=classes, columns=classes, fill_value=0)
    shares = counts.to_numpy(float) / np.maximum(counts.sum(axis=1).to_numpy(float), 1)[:, None]
    side = float(np.clip(0.42 * len(classes) + 1.6, 3.4, 9))
    names = list(map(shown, classes))
    room = INCHES_PER_CHARACTER * max(map(len, names))
    figure = new_figure(side + 0.9 + room, side + room)
    axes = figure.add_subplot()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for cell, count in np.ndenumerate(counts.to_numpy()) if len(classes) <= MOST_NUMBERS else ():
        if count:
            off = cell[0] != cell[1]
            colour = BEST if off else "white" if shares[cell] > 0.5 else DATA
            axes.text(cell[1], cell[0], str(count), ha="center", va="center", color=colour, fontsize=8)
    axes.set_xticks(range(len(classes)), names, rotation=90 if max(map(len, names)) > 3 else 0)
    axes.set_yticks(range(len(classes)), names)
    axes.set_xlabel("predicted")
    axes.set_ylabel("actual")
    axes.grid(visible=False)
    figure.colorbar(image, ax=axes, label="share of the actual class", fraction=0.046)
    wrong = len(samples) - int(np.trace(counts.to_numpy()))
    caption = (
        f"Confusion matrix of {len(samples)} test samples: {wrong} wrong (orange), {percent(wrong / len(samples))}. "
        "The shade is the share of the actual class."
    )
    yield ReportFigure("confusion_matrix", figure, caption, Section.OPTIMUM)

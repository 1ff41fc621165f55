"""A figure of another package: the error of each configuration over the duration of its training."""

from collections.abc import Iterator

from gamtune.figures.figure import ReportFigure, SearchResults
from gamtune.figures.theme import DATA, new_figure
from gamtune.numbers import measured


def draw_duration(study: SearchResults) -> Iterator[ReportFigure]:
    """Draw the error over the duration, if at least two configurations have finished."""
    rows = study.finished
    if len(rows) < 2:
        return
    figure = new_figure(5.2, 3.6)
    axes = figure.add_subplot()
    axes.plot(rows["seconds"], rows["validation_mse"], "o", color=DATA)
    axes.set_xlabel("duration (s)")
    axes.set_ylabel("validation_mse")
    caption = f"Error and duration of {len(rows)} configurations. The median duration is {measured(rows['seconds'].median())} s."
    yield ReportFigure("duration", figure, caption, section="Duration")

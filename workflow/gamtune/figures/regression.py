"""Predicted and actual values of the optimum of a regression on the test set."""

from collections.abc import Iterator

import numpy as np
from matplotlib.ticker import MaxNLocator
from scipy import stats

from gamtune.figures.figure import OptimumResults, ReportFigure
from gamtune.figures.registry import Section
from gamtune.figures.theme import DATA, EFFECT, new_figure
from gamtune.numbers import measured, signed


def draw_regression(study: OptimumResults) -> Iterator[ReportFigure]:
    """Draw actual values and residuals over the predicted values."""
    if study.classes:
        return
    samples = study.predictions.astype(float)
    actual, predicted = samples["actual"].to_numpy(float), samples["predicted"].to_numpy(float)
    figure = new_figure(8.4, 3.8)
    left, right = figure.subplots(1, 2)
    ends = [min(actual.min(), predicted.min()), max(actual.max(), predicted.max())]
    left.plot(ends, ends, color=DATA, linewidth=0.9, linestyle=(0, (4, 3)))
    left.plot(predicted, actual, "o", color=EFFECT, markersize=3.5, alpha=0.6, markeredgewidth=0)
    left.set_xlabel("predicted")
    left.set_ylabel("actual")
    residuals = actual - predicted
    right.axhline(0, color=DATA, linewidth=0.9, linestyle=(0, (4, 3)))
    right.plot(predicted, residuals, "o", color=EFFECT, markersize=3.5, alpha=0.6, markeredgewidth=0)
    right.set_xlabel("predicted")
    right.set_ylabel("actual − predicted")
    for axes in (left, right):
        axes.xaxis.set_major_locator(MaxNLocator(5))
    slope = float(stats.linregress(predicted, actual).slope) if np.ptp(predicted) else float("nan")
    inside = float(np.quantile(np.abs(residuals), 0.9))
    caption = (
        f"Predicted and actual values of {len(samples)} test samples: 90 % of the predictions are off by at most "
        f"{measured(inside)}. The mean residual is {signed(residuals.mean())}; the slope of the actual over the "
        f"predicted values is {measured(slope)}, where 1 means calibrated."
    )
    yield ReportFigure("predicted_against_actual", figure, caption, Section.OPTIMUM)

"""Calibration of the optimum's probabilities on the test set."""

from collections.abc import Iterator

import numpy as np
from scipy import stats

from gamtune.figures.figure import OptimumResults, ReportFigure
from gamtune.figures.registry import Section
from gamtune.figures.theme import DATA, EFFECT, new_figure
from gamtune.numbers import measured, percent

BINS = 10


def draw_calibration(study: OptimumResults) -> Iterator[ReportFigure]:
    """Draw the reliability of the probability of the predicted class, in bins of equal width (Guo et al. 2017)."""
    samples, classes = study.predictions, study.classes
    if not classes:
        return
    confidence = samples[[f"p_{name}" for name in classes]].max(axis=1).to_numpy(float)
    correct = (samples["actual"] == samples["predicted"]).to_numpy()
    bin_of = np.minimum((confidence * BINS).astype(int), BINS - 1)
    bins = [np.flatnonzero(bin_of == number) for number in np.unique(bin_of)]
    expected = np.array([confidence[inside].mean() for inside in bins])
    observed = np.array([correct[inside].mean() for inside in bins])
    intervals = [stats.binomtest(int(correct[b].sum()), len(b)).proportion_ci(method="wilson") for b in bins]
    sizes = np.array([len(b) for b in bins])
    error = float((sizes * np.abs(expected - observed)).sum() / len(samples))
    figure = new_figure(4.4, 4.0)
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color=DATA, linewidth=0.9, linestyle=(0, (4, 3)))
    bars = np.array([[share - i.low, i.high - share] for share, i in zip(observed, intervals, strict=True)]).T
    axes.errorbar(expected, observed, np.maximum(bars, 0), fmt="none", color=EFFECT, capsize=3, linewidth=1.4)
    axes.scatter(expected, observed, 20 + 180 * sizes / len(samples), color=EFFECT, zorder=3)
    axes.set_xlim(min(expected.min() - 0.05, 0.5), 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel("probability of the predicted class")
    axes.set_ylabel("share of correct predictions")
    excess = confidence.mean() - correct.mean()
    caption = (
        f"Calibration on {len(samples)} test samples in bins of width {1 / BINS:g}, with 95 % Wilson intervals; larger "
        "dots stand for more samples. On the dashed line, probabilities equal frequencies. The mean probability of the "
        f"predicted class is {percent(confidence.mean())}, and {percent(correct.mean())} of the predictions are "
        f"correct: the network is {'over' if excess > 0 else 'under'}confident by {measured(100 * abs(excess))} "
        f"percentage points. The expected calibration error is {measured(error)}."
    )
    yield ReportFigure("calibration", figure, caption, Section.OPTIMUM)

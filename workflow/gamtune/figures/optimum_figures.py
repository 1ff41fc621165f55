"""The optimum on the test rows: how far its probabilities can be believed, what it mixes up, or how far it is off."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator
from scipy import stats

from gamtune.analysis.comparable import ON_TEST_ROWS
from gamtune.figures.captions import draw_with_captions
from gamtune.figures.theme import BEST, DATA, EFFECT, STYLE, new_figure, save, shown
from gamtune.numbers import measured, percent, signed
from gamtune.results.artefacts import read_artefact
from gamtune.results.dataset import DatasetInfo
from gamtune.results.layout import StudyFolder

BINS = 10
INCHES_PER_CHARACTER = 0.08  # of a name of a class, beside and below the confusion matrix
MOST_NUMBERS = 26  # classes up to which the cells of the confusion matrix hold their counts


def write_optimum_figures(study: Path, folder: Path) -> None:
    """Draw ``calibration`` and ``confusion_matrix`` of classes, or ``predicted_against_actual`` of a regression.

    Parameters
    ----------
    study : Path
        The study's folder of results, the optimum scored.
    folder : Path
        Where the figures go, with ``captions.json``.
    """
    results = StudyFolder(study)
    rows = read_artefact(results.optimum.predictions, text=("actual", "predicted"))
    selection = DatasetInfo.read(results.data.info).selection
    draw_with_captions(lambda into: _draw(rows, into), ON_TEST_ROWS if selection == "test" else None, folder)


def _draw(rows: pd.DataFrame, folder: Path) -> dict[str, str]:
    classes = [name.removeprefix("p_") for name in map(str, rows) if name.startswith("p_")]
    if classes:
        return {
            "confusion_matrix": _confusion(rows, classes, folder / "confusion_matrix"),
            "calibration": _calibration(rows, classes, folder / "calibration"),
        }
    name = "predicted_against_actual"
    return {name: _regression(rows.astype(float), folder / name)}


def _calibration(rows: pd.DataFrame, classes: list[str], path: Path) -> str:
    """Reliability of the probability of the predicted class, in bins of equal width (Guo et al. 2017)."""
    sure = rows[[f"p_{name}" for name in classes]].max(axis=1).to_numpy(float)
    right = (rows["actual"] == rows["predicted"]).to_numpy()
    place = np.minimum((sure * BINS).astype(int), BINS - 1)
    bins = [np.flatnonzero(place == number) for number in np.unique(place)]
    said = np.array([sure[rows_in].mean() for rows_in in bins])
    was = np.array([right[rows_in].mean() for rows_in in bins])
    intervals = [stats.binomtest(int(right[b].sum()), len(b)).proportion_ci(method="wilson") for b in bins]
    sizes = np.array([len(b) for b in bins])
    error = float((sizes * np.abs(said - was)).sum() / len(rows))
    with mpl.rc_context(STYLE):
        figure = new_figure(4.4, 4.0)
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], color=DATA, linewidth=0.9, linestyle=(0, (4, 3)))
        bars = np.array([[w - i.low, i.high - w] for w, i in zip(was, intervals, strict=True)]).T
        axes.errorbar(said, was, np.maximum(bars, 0), fmt="none", color=EFFECT, capsize=3, linewidth=1.4)
        axes.scatter(said, was, 20 + 180 * sizes / len(rows), color=EFFECT, zorder=3)
        axes.set_xlim(min(said.min() - 0.05, 0.5), 1.02)
        axes.set_ylim(-0.02, 1.02)
        axes.set_xlabel("probability of the predicted class")
        axes.set_ylabel("share that was right")
        save(figure, path)
    excess = sure.mean() - right.mean()
    return (
        f"Calibration on {len(rows)} test rows in bins of {1 / BINS:g} (95 % Wilson intervals, a dot as large as its "
        f"share of the rows): on the dashed line probabilities mean what they say. In the mean the network claims "
        f"{percent(sure.mean())} and is right in {percent(right.mean())}, so it is "
        f"{'over' if excess > 0 else 'under'}confident by {measured(100 * abs(excess))} points; expected "
        f"calibration error {measured(error)}."
    )


def _confusion(rows: pd.DataFrame, classes: list[str], path: Path) -> str:
    counts = pd.crosstab(rows["actual"], rows["predicted"]).reindex(index=classes, columns=classes, fill_value=0)
    shares = counts.to_numpy(float) / np.maximum(counts.sum(axis=1).to_numpy(float), 1)[:, None]
    side = float(np.clip(0.42 * len(classes) + 1.6, 3.4, 9))
    names = list(map(shown, classes))
    room = INCHES_PER_CHARACTER * max(map(len, names))
    with mpl.rc_context(STYLE):
        figure = new_figure(side + 0.9 + room, side + room)
        axes = figure.add_subplot()
        image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for place, count in np.ndenumerate(counts.to_numpy()) if len(classes) <= MOST_NUMBERS else ():
            if count:
                off = place[0] != place[1]
                colour = BEST if off else "white" if shares[place] > 0.5 else DATA
                axes.text(place[1], place[0], str(count), ha="center", va="center", color=colour, fontsize=8)
        axes.set_xticks(range(len(classes)), names, rotation=90 if max(map(len, names)) > 3 else 0)
        axes.set_yticks(range(len(classes)), names)
        axes.set_xlabel("predicted")
        axes.set_ylabel("actual")
        axes.grid(visible=False)
        figure.colorbar(image, ax=axes, label="share of the actual class", fraction=0.046)
        save(figure, path)
    wrong = len(rows) - int(np.trace(counts.to_numpy()))
    return f"Confusion matrix of {len(rows)} test rows: {wrong} wrong (orange). Shade: share of the actual class."


def _regression(rows: pd.DataFrame, path: Path) -> str:
    actual, predicted = rows["actual"].to_numpy(float), rows["predicted"].to_numpy(float)
    with mpl.rc_context(STYLE):
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
        save(figure, path)
    slope = float(stats.linregress(predicted, actual).slope) if np.ptp(predicted) else float("nan")
    inside = float(np.quantile(np.abs(residuals), 0.9))
    return (
        f"Predicted against actual on {len(rows)} test rows: nine of ten are off by at most {measured(inside)}, "
        f"{signed(residuals.mean())} in the mean; slope {measured(slope)}, where 1 is calibrated."
    )

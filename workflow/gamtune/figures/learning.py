"""Learning curves: the validation error by epoch of the best, the other and the failed configurations."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from gamtune.analysis.columns import RESPONSE
from gamtune.figures.figure import ReportFigure, SearchResults
from gamtune.figures.registry import Section
from gamtune.figures.theme import BEST, EFFECT, FAILED, NEXT, PALE, new_figure, plain_log_axis, shown
from gamtune.results.records import Record
from gamtune.results.trial_table import CONFIGURATION, FOLD, NAME, REPLICATE, RUNG, TRIAL
from gamtune.search.trials import search_trials

BEST_CONFIGURATIONS = 3
# Columns in which the trials of one curve may differ
NOT_OF_A_CURVE = (TRIAL, NAME, CONFIGURATION, REPLICATE, FOLD, RUNG, "epochs")
MOST_OTHERS = 200  # number of grey curves
COLOURS = (BEST, EFFECT, NEXT)
Curves = dict[str, tuple[list[float], Record]]


def draw_learning(study: SearchResults) -> Iterator[ReportFigure]:
    """Draw the learning curve of each configuration, if one has finished; after rungs, the curve of its last one."""
    longest: dict[tuple[str, ...], tuple[list[float], Record]] = {}
    for trial in search_trials(study.folder, study.stages):
        record = Record.read(trial.record, trial.trial)
        values = record.history.get(RESPONSE, [])
        key = trial.name, *(cell for column, cell in trial.cells.items() if column not in NOT_OF_A_CURVE)
        if key not in longest or len(values) >= len(longest[key][0]):
            longest[key] = values, record
    curves = dict(zip(_labels(longest), longest.values(), strict=True))
    finished = {name: both for name, both in curves.items() if both[1].status == "ok" and both[0]}
    failed = {name: both for name, both in curves.items() if both[1].status == "failed"}
    if not finished:
        return
    ranked = sorted(finished, key=lambda name: finished[name][1].validation_mse)
    best, others = ranked[:BEST_CONFIGURATIONS], ranked[BEST_CONFIGURATIONS:][:MOST_OTHERS]
    drawn = [np.asarray(both[0]) for both in (*finished.values(), *failed.values()) if both[0]]
    figure = new_figure(6.4, 3.8)
    axes = figure.add_subplot()
    for name in reversed(others):
        axes.plot(_epochs(finished[name][0]), finished[name][0], color=PALE, linewidth=0.8)
    named: list[tuple[Line2D, str]] = []
    begun = [both[0] for both in failed.values() if both[0]]
    for values in begun:
        (line,) = axes.plot(_epochs(values), values, color=FAILED, linewidth=1.3, marker="x", markevery=[-1])
        named = [(line, f"failed ({len(begun)})")]
    for number, name in reversed(list(enumerate(best))):
        values, record = finished[name]
        colour, stop = COLOURS[number], int(record.best_epoch or 0)
        (line,) = axes.plot(_epochs(values), values, color=colour, linewidth=2 - 0.3 * number)
        named.append((line, shown(name)))
        axes.plot(stop, values[stop - 1], "o", color=colour, markersize=5, markeredgecolor="white")
    if min(values.min() for values in drawn) > 0:
        axes.set_yscale("log")
        plain_log_axis(axes.yaxis)
    axes.set_xlabel("epoch")
    axes.set_ylabel(RESPONSE)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    _draw_legend(axes, named[::-1])
    yield ReportFigure("learning_curves", figure, _in_words(best, finished, failed), Section.SEARCH)


def _draw_legend(axes: Axes, named: Sequence[tuple[Line2D, str]]) -> None:
    legend = axes.legend([line for line, _ in named], [" "] * len(named), frameon=False, fontsize=8)
    for text, (_, name) in zip(legend.get_texts(), named, strict=True):
        text.set_text(name)  # set here, because matplotlib ignores a label that begins with _


def _in_words(best: list[str], finished: Curves, failed: Curves) -> str:
    epochs = [int(both[1].best_epoch or 0) for both in finished.values()]
    at_end = sum(int(both[1].best_epoch or 0) == len(both[0]) for both in finished.values())
    words = [
        f"Learning curves of {RESPONSE}. In colour: the best configurations, {', '.join(best)}, with a dot at the best "
        f"epoch, whose weights are kept; grey: all others. The median of the best epochs is {int(np.median(epochs))}. "
        f"In {at_end} of {len(finished)} configurations the last epoch is the best, so that more epochs might lower "
        "the error."
    ]
    if failed:
        words.append(f"{len(failed)} failed; those that failed in their first epoch have no curve.")
    return " ".join(words)


def _labels(keys: Iterable[tuple[str, ...]]) -> list[str]:
    """Return the names of the configurations, with a number if another configuration has the same name."""
    counts: Counter[str] = Counter()
    labels = []
    for name, *_ in keys:
        counts[name] += 1
        labels.append(name if counts[name] == 1 else f"{name} ({counts[name]})")
    return labels


def _epochs(values: Sequence[float]) -> range:
    return range(1, len(values) + 1)

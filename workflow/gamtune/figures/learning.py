"""How the errors fell, epoch by epoch: of the best rows, of all others in grey, and of those that failed."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from gamtune.analysis.columns import RESPONSE
from gamtune.analysis.comparable import CONFIGURATION, RUNG
from gamtune.figures.theme import BEST, EFFECT, FAILED, NEXT, PALE, STYLE, new_figure, plain_log_axis, save, shown
from gamtune.results.records import Record
from gamtune.search.proposals import lines_with_records

BEST_ROWS = 3
# Columns in which the trainings of one line may differ
NOT_OF_A_CURVE = ("trial", CONFIGURATION, "replicate", "fold", RUNG, "epochs")
MOST_OTHERS = 200  # lines in grey
COLOURS = (BEST, EFFECT, NEXT)
Curves = dict[str, tuple[list[float], Record]]


def draw_learning(study: Path, stages: Sequence[str], path: Path) -> str | None:
    """Draw the curves of the records of a study and give the caption; None where none has one.

    Parameters
    ----------
    study : Path
        The study's folder of results.
    stages : sequence of str
        Folders of its rounds or rungs.
    """
    longest: dict[tuple[str, ...], tuple[list[float], Record]] = {}
    for cells, path_of_record in lines_with_records(study, stages):  # of a halving the last rung says all before it
        record = Record.read(path_of_record, cells["trial"])
        values = record.history.get(RESPONSE, [])
        key = cells["name"], *(cell for column, cell in cells.items() if column not in NOT_OF_A_CURVE)
        if key not in longest or len(values) >= len(longest[key][0]):
            longest[key] = values, record
    curves = dict(zip(_labels(longest), longest.values(), strict=True))
    finished = {name: both for name, both in curves.items() if both[1].status == "ok" and both[0]}
    failed = {name: both for name, both in curves.items() if both[1].status == "failed"}
    if not finished:
        return None
    ranked = sorted(finished, key=lambda name: finished[name][1].validation_mse)
    best, others = ranked[:BEST_ROWS], ranked[BEST_ROWS:][:MOST_OTHERS]
    drawn = [np.asarray(both[0]) for both in (*finished.values(), *failed.values()) if both[0]]
    with mpl.rc_context(STYLE):
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
        save(figure, path)
    return _in_words(best, finished, failed)


def _draw_legend(axes: Axes, named: Sequence[tuple[Line2D, str]]) -> None:
    legend = axes.legend([line for line, _ in named], [" "] * len(named), frameon=False, fontsize=8)
    for text, (_, name) in zip(legend.get_texts(), named, strict=True):
        text.set_text(name)  # here, since matplotlib leaves out a label that begins with _


def _in_words(best: list[str], finished: Curves, failed: Curves) -> str:
    epochs = [int(both[1].best_epoch or 0) for both in finished.values()]
    at_end = sum(int(both[1].best_epoch or 0) == len(both[0]) for both in finished.values())
    words = [
        f"Validation error by epoch: {', '.join(best)} (the best, a dot where its weights are from), all others in "
        f"grey. The best epoch is {int(np.median(epochs))} in the median; in {at_end} of {len(finished)} rows it is "
        "the last, which more epochs might have improved."
    ]
    if failed:
        words.append(f"{len(failed)} rows failed; those that did before the end of their first epoch have no line.")
    return " ".join(words)


def _labels(keys: Iterable[tuple[str, ...]]) -> list[str]:
    """The names, with a number if other settings have the same one."""
    counts: Counter[str] = Counter()
    labels = []
    for name, *_ in keys:
        counts[name] += 1
        labels.append(name if counts[name] == 1 else f"{name} ({counts[name]})")
    return labels


def _epochs(values: Sequence[float]) -> range:
    return range(1, len(values) + 1)

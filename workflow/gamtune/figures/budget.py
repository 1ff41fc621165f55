"""The best error so far against the number of configurations, which shows the benefit of a larger budget."""

from collections.abc import Iterator

import numpy as np
from matplotlib.ticker import MaxNLocator

from gamtune.analysis.columns import RESPONSE
from gamtune.figures.figure import ReportFigure, SearchResults
from gamtune.figures.registry import Section
from gamtune.figures.theme import BAND_ALPHA, BEST, EFFECT, new_figure, plain_log_axis
from gamtune.numbers import measured, percent

ORDERS = 1000
SEED = 1
FEWEST_CONFIGURATIONS = 2


def draw_budget(study: SearchResults) -> Iterator[ReportFigure]:
    """Draw the best error so far over random orders of the configurations, if there are at least two."""
    errors = study.comparable[RESPONSE].to_numpy(float)
    if len(errors) < FEWEST_CONFIGURATIONS:
        return
    orders = np.random.default_rng(SEED).permuted(np.tile(errors, (ORDERS, 1)), axis=1)
    so_far = np.minimum.accumulate(orders, axis=1)
    low, middle, high = np.quantile(so_far, [0.025, 0.5, 0.975], axis=0)
    count = np.arange(1, len(errors) + 1)
    figure = new_figure(6.4, 3.4)
    axes = figure.add_subplot()
    axes.fill_between(count, low, high, color=EFFECT, alpha=BAND_ALPHA, linewidth=0, step="mid")
    axes.plot(count, middle, color=EFFECT, linewidth=1.8, label="random order: median and 95 % band")
    axes.step(count, np.minimum.accumulate(errors), where="mid", color=BEST, linewidth=1.4, label="actual order")
    axes.set_xlabel("configurations trained")
    axes.set_ylabel(f"best {RESPONSE} so far")
    if errors.min() > 0:
        axes.set_yscale("log")
        plain_log_axis(axes.yaxis)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.legend(frameon=False)
    half = len(errors) // 2 - 1
    gain = 1 - errors.min() / middle[half]
    band = f"95 % band {measured(low[half])} to {measured(high[half])}"
    caption = (
        f"Best {RESPONSE} so far, over {ORDERS} random orders of the {len(errors)} configurations. After half of them, "
        f"the median is {measured(middle[half])} ({band}); after all, it is {measured(errors.min())}. The second half "
        f"of the budget lowers the error by {percent(gain, 0)}."
    )
    yield ReportFigure("budget", figure, caption, Section.SEARCH)

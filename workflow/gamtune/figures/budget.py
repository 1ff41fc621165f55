"""What the search's budget bought: the best error so far, had the rows come in another order."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from gamtune.analysis.columns import RESPONSE
from gamtune.figures.theme import BAND_ALPHA, BEST, EFFECT, STYLE, new_figure, plain_log_axis, save
from gamtune.numbers import measured, percent

ORDERS = 1000
SEED = 1
FEWEST_ROWS = 2


def draw_budget(rows: pd.DataFrame, path: Path) -> str | None:
    """Draw the curve of the finished rows and give its caption; None of fewer than two rows."""
    errors = rows[RESPONSE].to_numpy(float)
    if len(errors) < FEWEST_ROWS:
        return None
    orders = np.random.default_rng(SEED).permuted(np.tile(errors, (ORDERS, 1)), axis=1)
    so_far = np.minimum.accumulate(orders, axis=1)
    low, middle, high = np.quantile(so_far, [0.025, 0.5, 0.975], axis=0)
    count = np.arange(1, len(errors) + 1)
    with mpl.rc_context(STYLE):
        figure = new_figure(6.4, 3.4)
        axes = figure.add_subplot()
        axes.fill_between(count, low, high, color=EFFECT, alpha=BAND_ALPHA, linewidth=0, step="mid")
        axes.plot(count, middle, color=EFFECT, linewidth=1.8, label="any order: median and 95 %")
        axes.step(count, np.minimum.accumulate(errors), where="mid", color=BEST, linewidth=1.4, label="as they came")
        axes.set_xlabel("rows trained")
        axes.set_ylabel(f"best {RESPONSE} so far")
        if errors.min() > 0:
            axes.set_yscale("log")
            plain_log_axis(axes.yaxis)
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        axes.legend(frameon=False)
        save(figure, path)
    half = len(errors) // 2
    gain = 1 - errors.min() / middle[half - 1]
    return (
        f"Best error so far over {ORDERS} orders of the {len(errors)} rows. Half of them would have come to "
        f"{measured(middle[half - 1])} ({measured(low[half - 1])} to {measured(high[half - 1])}), all came to "
        f"{measured(errors.min())}: the second half of the budget bought {percent(gain, 0)}."
    )

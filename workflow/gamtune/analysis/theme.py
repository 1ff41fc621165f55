"""One look for every figure: colours that colour-blind readers tell apart, and files that are equal byte for byte."""

# plotnine is annotated only in part
# mypy: allow-untyped-calls

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import Formatter, LogLocator, NullFormatter
from plotnine import element_blank, element_line, element_rect, element_text, ggplot, labs, theme, theme_bw

from gamtune.files import replacing
from gamtune.numbers import compact, labels

# Okabe and Ito (2008); the same colour means the same thing in every figure
DATA = "#4D4D4D"
EFFECT = "#0072B2"
BEST = "#D55E00"
NEXT = "#56B4E9"
FAILED = "#CC79A7"
PALE = "#D9D9D9"
BAND_ALPHA = 0.2
NOISE = "#E3E3E3"  # the null band: what effects of pure noise look like

DOTS_PER_INCH = 160
FONT = "DejaVu Sans"  # comes with matplotlib, so that every machine draws the same
# without dates, versions and random ids the same data give the same bytes
METADATA: dict[str, dict[str, Any]] = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}

STYLE: dict[Any, Any] = {
    "svg.hashsalt": "gamtune",
    "font.family": FONT,
    "font.size": 10,
    "axes.edgecolor": "#7F7F7F",
    "axes.linewidth": 0.8,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.formatter.limits": (-3, 4),
    "grid.color": "#EBEBEB",
    "grid.linewidth": 0.8,
    "hatch.linewidth": 0.6,
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
}


def figure_theme(width: float, height: float) -> theme:
    """The theme of a plotnine figure of so many inches."""
    return theme_bw(base_size=10, base_family=FONT) + theme(
        figure_size=(width, height),
        dpi=DOTS_PER_INCH,
        panel_border=element_rect(color="#7F7F7F", size=0.8),
        panel_grid_major=element_line(color="#EBEBEB", size=0.8),
        panel_grid_minor=element_blank(),
        strip_background=element_rect(fill="#F2F2F2", color="#7F7F7F", size=0.8),
        strip_text=element_text(size=10, weight="bold"),
        axis_title=element_text(size=10),
    )


class PlainNumbers(Formatter):
    """Tick labels with as few digits as tell neighbouring ticks apart: 0.04 and 5e-05, without an offset."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Return the label of one tick."""
        return compact(float(x), 4)

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Return the labels of all ticks of an axis."""
        return labels(values)


def plain_log_axis(axis: Axis) -> None:
    """A logarithmic axis whose numbers read 0.04, not 4 × 10⁻²."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(PlainNumbers())
    axis.set_minor_formatter(NullFormatter())


def new_figure(width: float, height: float) -> Figure:
    """An empty matplotlib figure of so many inches; draw into it under `mpl.rc_context(STYLE)`."""
    return Figure(figsize=(width, height))


@contextmanager
def stamped(text: str | None) -> Iterator[None]:
    """Every figure that is saved within bears this text."""
    token = _STAMP.set(text)
    try:
        yield
    finally:
        _STAMP.reset(token)


_STAMP: ContextVar[str | None] = ContextVar("stamp", default=None)


def save(plot: ggplot | Figure, path: Path) -> None:
    """Write ``path`` with the suffixes .png and .svg, each whole or not at all.

    Equal plots give equal bytes wherever the same versions of matplotlib and plotnine draw them.
    """
    stamp = _STAMP.get()
    if stamp is not None:
        if isinstance(plot, ggplot):
            plot = plot + labs(caption=stamp)
            plot += theme(plot_caption=element_text(color=BEST, size=9, weight="bold"))
        else:
            plot.suptitle(stamp, x=0.99, ha="right", color=BEST, fontsize=9, fontweight="bold")
    with mpl.rc_context(STYLE):
        for kind, metadata in METADATA.items():
            with replacing(path.with_name(f"{path.name}.{kind}")) as part:
                options: dict[str, Any] = {"format": kind, "dpi": DOTS_PER_INCH, "metadata": metadata}
                if isinstance(plot, ggplot):
                    plot.save(part, verbose=False, **options)
                else:
                    plot.savefig(part, **options)

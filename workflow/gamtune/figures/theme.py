"""The common style of all figures: colours that are safe for colour-blind readers, and reproducible files."""

# plotnine is annotated only in part
# mypy: allow-untyped-calls

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from math import ceil, floor, log10
from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl
import pandas as pd
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, Formatter, LogLocator, MaxNLocator, NullFormatter, NullLocator
from plotnine import element_blank, element_line, element_rect, element_text, ggplot, labs, theme, theme_bw

from gamtune.analysis.columns import is_whole
from gamtune.files import replacing
from gamtune.numbers import compact, labels

# Okabe and Ito (2008); a colour has the same meaning in every figure
DATA = "#4D4D4D"
EFFECT = "#0072B2"
BEST = "#D55E00"
NEXT = "#56B4E9"
FAILED = "#CC79A7"
PALE = "#D9D9D9"
BAND_ALPHA = 0.2
NOISE = "#E3E3E3"  # the null band, which holds 95 % of the effects of noise

DOTS_PER_INCH = 160
FONT = "DejaVu Sans"  # is part of matplotlib, so that figures are the same on every machine
# Fonts for characters that are not in it, if the machine has one of them
OTHER_FONTS = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "Source Han Sans SC", "PingFang SC", "Hiragino Sans GB",
    "Microsoft YaHei", "SimHei", "WenQuanYi Zen Hei", "Noto Sans Devanagari", "Noto Sans Thai", "Arial Unicode MS",
)  # fmt: skip
LONGEST_NAME = 28  # number of characters of a user's name in a figure
# Without dates, versions and random identifiers, equal data give equal bytes
METADATA: dict[str, dict[str, Any]] = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}

STYLE: dict[Any, Any] = {
    "svg.hashsalt": "gamtune",
    "font.family": [FONT, *(font for font in OTHER_FONTS if font in font_manager.get_font_names())],
    "text.parse_math": False,  # names are drawn as they are, even if a class is called $$
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
    """Return the theme of a plotnine figure whose width and height are given in inches."""
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
    """Tick labels with as few digits as distinguish neighbouring ticks, such as 0.04 and 5e-05, without an offset."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Return the label of one tick."""
        return compact(float(x), 4)

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Return the labels of all ticks of an axis."""
        return labels(values)


def plain_log_axis(axis: Axis) -> None:
    """Label a logarithmic axis with numbers such as 0.04 instead of 4 × 10⁻²."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(PlainNumbers())
    axis.set_minor_formatter(NullFormatter())


def log_axis(axes: Axes, which: Literal["x", "y"], low: float, high: float, most: int = 5) -> None:
    """Make an axis logarithmic, with labels in natural units and at most ``most`` ticks."""
    axes.set(**{f"{which}scale": "log"})
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(FixedLocator(log_ticks(low, high, most)))
    axis.set_major_formatter(PlainNumbers())
    axis.set_minor_locator(NullLocator())


def label_axis(
    axes: Axes, which: Literal["x", "y"], name: str, values: "pd.Series[Any]", logarithmic: bool, ticks: int
) -> None:
    """Label an axis with the name of a column and about ``ticks`` ticks, at whole numbers if it has no others."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_label_text(name)
    if logarithmic:
        log_axis(axes, which, float(values.min()), float(values.max()), ticks)
        return
    axis.set_major_locator(MaxNLocator(ticks, integer=is_whole(values)))
    axis.set_major_formatter(PlainNumbers())


def log_ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Return up to ``most`` ticks of a logarithmic axis: powers of ten, or simple multiples of them.

    Examples
    --------
    >>> log_ticks(1e-5, 0.2), log_ticks(0.0004, 0.003), log_ticks(0.2, 0.3)
    ([1e-05, 0.0001, 0.001, 0.01, 0.1], [0.0005, 0.001, 0.002], [0.2, 0.3])
    """
    exponents = range(floor(log10(low)), ceil(log10(high)) + 1)
    for step, factors in (
        (1, (1, 1.5, 2, 3, 5, 7)),
        (1, (1, 2, 5)),
        (1, (1, 3)),
        *((step, (1,)) for step in range(1, len(exponents) + 1)),
    ):
        positions = [float(f"{factor}e{exponent}") for exponent in exponents[::step] for factor in factors]
        ticks = [position for position in positions if low <= position <= high]
        if len(ticks) < 2:
            break
        if len(ticks) <= most:
            return ticks
    return [
        round(float(position), 12) for position in MaxNLocator(most).tick_values(low, high) if low <= position <= high
    ]


def shown(name: str) -> str:
    """Return a user's name for a figure: on one line, and without its middle if it is long.

    Examples
    --------
    >>> shown("a class"), shown("x" * 30 + " (1)")
    ('a class', 'xxxxxxxxxxxxxx…xxxxxxxxx (1)')
    """
    line = " ".join(name.split()) or name
    half = LONGEST_NAME // 2
    return line if len(line) <= LONGEST_NAME else f"{line[:half]}…{line[len(line) - half + 1 :]}"


def new_figure(width: float, height: float) -> Figure:
    """Return an empty matplotlib figure whose width and height are given in inches."""
    return Figure(figsize=(width, height))


@contextmanager
def stamped(text: str | None) -> Iterator[None]:
    """Write this text on every figure that is saved in the context."""
    token = _STAMP.set(text)
    try:
        yield
    finally:
        _STAMP.reset(token)


_STAMP: ContextVar[str | None] = ContextVar("stamp", default=None)


def save(plot: ggplot | Figure, path: Path, finish: Callable[[Figure], None] | None = None) -> None:
    """Write a plot as .png and .svg, each completely or not at all.

    Equal plots give equal bytes if the versions of matplotlib and plotnine are the same.

    Parameters
    ----------
    plot : ggplot or Figure
        The plot.
    path : Path
        Path of the files without suffix.
    finish : callable, optional
        Changes the matplotlib figure of a ggplot before it is written.
    """
    stamp = _STAMP.get()
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message="Glyph .* missing from font"
        )  # a box is drawn instead of the character
        if isinstance(plot, ggplot):
            if stamp is not None:
                plot = plot + labs(caption=stamp)
                plot += theme(plot_caption=element_text(color=BEST, size=9, weight="bold"))
            figure = plot.draw()
            if finish is not None:
                finish(figure)
        else:
            figure = plot
            if stamp is not None:
                figure.suptitle(stamp, x=0.99, ha="right", color=BEST, fontsize=9, fontweight="bold")
        for kind, metadata in METADATA.items():
            with replacing(path.with_name(f"{path.name}.{kind}")) as part:
                figure.savefig(part, format=kind, dpi=DOTS_PER_INCH, metadata=metadata)
            figure.set_layout_engine(
                "none"
            )  # reuses the layout for the next format, since a layout takes as long as drawing

"""The error of every configuration against every hyperparameter, without a model."""

# plotnine is annotated only in part
# mypy: allow-untyped-calls

from collections.abc import Collection, Iterator, Sequence
from math import ceil
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from mizani.breaks import breaks_extended
from plotnine import (
    aes,
    coord_cartesian,
    element_text,
    facet_wrap,
    geom_boxplot,
    geom_point,
    ggplot,
    labs,
    position_jitter,
    scale_color_manual,
    scale_x_continuous,
    scale_y_continuous,
    scale_y_log10,
    stat_smooth,
    theme,
)

from gamtune.analysis.columns import RESPONSE, is_logarithmic, is_numeric, on_its_scale, varies
from gamtune.analysis.comparable import last_rung
from gamtune.config.settings import PER_LAYER
from gamtune.figures.figure import ReportFigure, SearchResults
from gamtune.figures.registry import Section
from gamtune.figures.smoothing import SPAN, loess_is_sound, polynomial
from gamtune.figures.theme import (
    BAND_ALPHA,
    BEST,
    DATA,
    EFFECT,
    PALE,
    figure_theme,
    log_ticks,
    new_figure,
)
from gamtune.numbers import labels, measured, signed
from gamtune.results.trial_table import RUNG

WIDTH, PANEL_HEIGHT = 8.0, 2.3  # inches
FEWEST_CONFIGURATIONS = 4  # with fewer, no curve is drawn
MOST_TICKS = 6  # of a logarithmic panel
WIDE = 10  # ratio of the largest to the smallest error above which the error axis is logarithmic
ERROR_TICKS = 5  # of a logarithmic error axis


def draw_scatter(study: SearchResults) -> Iterator[ReportFigure]:
    """Draw the error against every hyperparameter that varies.

    Numbers are drawn in ``mse_by_parameter``, with a smooth curve and its 95 % band; text such as the activation, if
    any, in ``mse_by_category``. Constant and empty columns, per-layer vectors and failed configurations are left out.
    """
    rows = study.finished
    columns = [name for name in study.columns if not (RUNG in rows and name == "epochs")]  # the colours show the epochs
    varied = [name for name in columns if name not in PER_LAYER and varies(rows[name])]
    numeric = [name for name in varied if is_numeric(rows[name])]
    texts = [name for name in varied if name not in numeric]
    failed = len(study.summary) - len(rows)
    yield _numeric(rows, numeric, study.log_columns, failed) if numeric else _nothing_to_draw(rows)
    if texts:
        yield _by_text(rows, texts, failed)


def _numeric(rows: pd.DataFrame, columns: list[str], log_columns: Collection[str], failed: int) -> ReportFigure:
    points = _long(rows, columns, log_columns)
    sound = {name: _curve_of(points.loc[points["panel"] == name, "value"]) for name in columns}
    log_panels = [is_logarithmic(rows[name], name, log_columns) for name in columns]
    logarithmic = _needs_log(rows[RESPONSE])
    plot = (
        ggplot(points, aes("value", RESPONSE))
        + _dots(rows)
        + facet_wrap("panel", ncol=2, scales="free_x")
        + scale_x_continuous(breaks=_breaks, labels=_ticks)
        + labs(x="", y=RESPONSE)
        + figure_theme(WIDTH, PANEL_HEIGHT * ceil(len(columns) / 2) + 0.3)
        + theme(legend_position="top")
    )
    for curve, method in (("loess", "loess"), ("polynomial", polynomial)):
        drawn = points[(points["panel"].astype(str).map(sound) == curve) & points["first_rung"]]
        if len(drawn):
            plot += stat_smooth(
                data=drawn, method=method, span=SPAN, level=0.95, color=EFFECT, fill=EFFECT, alpha=BAND_ALPHA
            )
    plot += geom_point(data=points[points["best"]], color=BEST, size=2.6, stroke=0)
    sentences = (
        _opening(rows, failed),
        "Orange: the best.",
        _rungs_in_words(rows),
        _rank_correlations(rows[rows[RUNG] == 0] if RUNG in rows else rows, columns),
        _curves_in_words(sound),
        _log_panels_in_words([name for name, log in zip(columns, log_panels, strict=True) if log]),
        _axis_in_words(rows[RESPONSE]) if logarithmic else "",
    )
    return ReportFigure(
        "mse_by_parameter",
        plot + _error_axis(rows[RESPONSE], logarithmic),
        " ".join(filter(None, sentences)),
        Section.FOUND,
        lambda figure: _natural_ticks(figure, log_panels),
    )


def _natural_ticks(figure: Figure, log_panels: Sequence[bool]) -> None:
    """Label panels that are drawn over logarithms in natural units; plotnine labels all panels the same way."""
    for axes, logarithmic in zip(figure.axes, log_panels, strict=False):
        if logarithmic:
            low, high = axes.get_xlim()
            margin = 0.03 * (high - low)  # or labels of neighbouring panels touch
            ticks = log_ticks(10 ** (low + margin), 10 ** (high - margin), MOST_TICKS)
            axes.set_xticks(np.log10(ticks), labels(ticks))


def _long(rows: pd.DataFrame, columns: Sequence[str], log_columns: Collection[str]) -> pd.DataFrame:
    """Return one line per configuration and panel: panel, value on its axis, error, and whether it is the best."""
    parts = []
    for name in columns:
        part = pd.DataFrame({"value": on_its_scale(rows[name], name, log_columns), RESPONSE: rows[RESPONSE]})
        part["best"] = part.index == last_rung(rows)[RESPONSE].idxmin()
        part["first_rung"] = rows[RUNG] == 0 if RUNG in rows else True
        part["epochs"] = _epochs(rows)
        parts.append(part.assign(panel=name).dropna())
    points = pd.concat(parts, ignore_index=True)
    points["panel"] = pd.Categorical(points["panel"], categories=list(columns))
    return points


def _epochs(rows: pd.DataFrame) -> Any:
    """Return the epochs of each configuration as a category, if the study has rungs."""
    if RUNG not in rows:
        return ""
    levels = sorted(rows["epochs"].unique())
    return pd.Categorical(rows["epochs"].astype(str), categories=[str(level) for level in levels])


def _dots(rows: pd.DataFrame) -> list[Any]:
    """Return the dots of the configurations; in a study with rungs, a darker dot was trained for more epochs."""
    if RUNG not in rows:
        return [geom_point(color=DATA, alpha=0.6, size=1.6, stroke=0)]
    greys = [f"{shade:.2f}" for shade in np.linspace(0.75, 0.1, rows[RUNG].nunique())]
    colours = [mpl.colors.to_hex(grey) for grey in greys]
    return [
        geom_point(aes(color="epochs"), size=1.8, stroke=0),
        scale_color_manual(values=colours, name="epochs trained"),
    ]


def _curve_of(values: pd.Series) -> str | None:
    """Return the kind of curve that the values of a panel allow."""
    if len(values) < FEWEST_CONFIGURATIONS:
        return None
    return "loess" if loess_is_sound(values.to_numpy(float)) else "polynomial"


def _needs_log(errors: pd.Series) -> bool:
    return bool(errors.min() > 0 and errors.max() > WIDE * errors.min())


def _error_axis(errors: pd.Series, logarithmic: bool) -> list[Any]:
    """Return an axis that shows all points; the band of a curve may leave the panel at its ends."""
    shown = np.log10(errors) if logarithmic else errors
    room = 0.06 * (shown.max() - shown.min() or abs(shown.max()) or 1.0)
    low, high = shown.min() - room, shown.max() + room
    if logarithmic:
        return [_log_scale(), coord_cartesian(ylim=(10**low, 10**high))]
    return [scale_y_continuous(labels=_ticks), coord_cartesian(ylim=(low, high))]


def _log_scale() -> Any:
    return scale_y_log10(breaks=lambda limits: log_ticks(*limits, ERROR_TICKS), labels=_ticks)


def _breaks(limits: tuple[float, float]) -> list[float]:
    return [float(position) for position in breaks_extended(n=4)(limits)]


def _ticks(values: Sequence[Any]) -> list[str]:
    """Return short labels, such as 5e-05 instead of 0.000050, so that those of neighbouring panels do not touch."""
    return labels(values)


def _by_text(rows: pd.DataFrame, columns: list[str], failed: int) -> ReportFigure:
    points = rows.melt(id_vars=[RESPONSE], value_vars=columns, var_name="panel", value_name="value").dropna()
    points["value"] = points["value"].astype(str)
    points["panel"] = pd.Categorical(points["panel"], categories=columns)
    logarithmic = _needs_log(rows[RESPONSE])
    plot = (
        ggplot(points, aes("value", RESPONSE))
        + geom_boxplot(color=EFFECT, fill=PALE, alpha=0.3, outlier_alpha=0, width=0.5)
        + geom_point(color=DATA, alpha=0.6, size=1.6, stroke=0, position=position_jitter(0.12, 0, random_state=1))
        + facet_wrap("panel", ncol=2, scales="free_x")
        + labs(x="", y=RESPONSE)
        + figure_theme(WIDTH, PANEL_HEIGHT * ceil(len(columns) / 2) + 0.5)
        + theme(axis_text_x=element_text(rotation=0))
        + (_log_scale() if logarithmic else scale_y_continuous(labels=_ticks))
    )
    medians = []
    for name in columns:
        levels = rows.groupby(rows[name].astype(str))[RESPONSE].agg(["median", "size"]).sort_values("median")
        listed = ", ".join(f"{level} {measured(median)} (n = {size})" for level, median, size in levels.itertuples())
        medians.append(f"Median {RESPONSE} by {name}: {listed}.")
    axis = _axis_in_words(rows[RESPONSE]) if logarithmic else ""
    sentences = (_opening(rows, failed), *medians, "Boxes: quartiles and median.", axis)
    return ReportFigure("mse_by_category", plot, " ".join(filter(None, sentences)), Section.FOUND)


def _nothing_to_draw(rows: pd.DataFrame) -> ReportFigure:
    """Return a figure that states why it is empty, because the workflow expects the file for every study."""
    text = f"No numeric hyperparameter varies over the {len(rows)} configurations that finished."
    figure = new_figure(WIDTH, 1.2)
    figure.text(0.5, 0.5, text, ha="center", va="center")
    return ReportFigure("mse_by_parameter", figure, text, Section.FOUND)


def _opening(rows: pd.DataFrame, failed: int) -> str:
    best = last_rung(rows).sort_values(RESPONSE).iloc[0]
    note = f" ({failed} more failed and are not drawn)" if failed else ""
    return (
        f"{len(rows)} configurations{note}: the best ({best['name']}) has {RESPONSE} {measured(best[RESPONSE])}, "
        f"the median is {measured(rows[RESPONSE].median())}."
    )


def _rungs_in_words(rows: pd.DataFrame) -> str:
    if RUNG not in rows:
        return ""
    counts = rows.groupby("epochs").size()
    listed = ", ".join(f"{epochs} (n = {count})" for epochs, count in counts.items())
    return f"A configuration has one dot per rung that it reached, after epochs {listed}; curves show the first rung."


def _rank_correlations(rows: pd.DataFrame, columns: list[str]) -> str:
    """Return the three strongest rank correlations, which measure monotone relations only."""
    ranks = {name: rows[name].rank().corr(rows.loc[rows[name].notna(), RESPONSE].rank()) for name in columns}
    strongest = sorted(ranks, key=lambda name: -abs(ranks[name]))[:3]
    listed = ", ".join(f"{name} {signed(ranks[name])}" for name in strongest)
    return f"Strongest rank correlations with the error: {listed}."


def _curves_in_words(curves: dict[str, str | None]) -> str:
    by_kind = {
        kind: [name for name, curve in curves.items() if curve == kind] for kind in ("loess", "polynomial", None)
    }
    words = []
    if by_kind["loess"]:
        words.append(f"Curves: loess (span {SPAN}) with 95 % band.")
    if by_kind["polynomial"]:
        words.append(
            f"Parabola or line with 95 % band, because of few distinct values: {', '.join(by_kind['polynomial'])}."
        )
    if by_kind[None]:
        words.append(f"No curve, because of few configurations: {', '.join(by_kind[None])}.")
    return " ".join(words)


def _log_panels_in_words(columns: Sequence[str]) -> str:
    return f"Logarithmic axes: {', '.join(columns)}." if columns else ""


def _axis_in_words(errors: pd.Series) -> str:
    return (
        f"Logarithmic error axis: the largest error is {measured(errors.max() / errors.min(), 2)} times the smallest."
    )

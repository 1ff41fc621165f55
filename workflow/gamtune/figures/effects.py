"""What each hyper-parameter does to the error: the additive model's effects with their uncertainty."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, exp
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from gamtune.analysis.columns import is_numeric
from gamtune.figures.surface import draw_surface
from gamtune.figures.theme import BAND_ALPHA, DATA, EFFECT, NOISE, STYLE, label_axis, new_figure, save
from gamtune.gam.formula import parse_term
from gamtune.gam.terms import Factor, Linear, Term, Variable
from gamtune.numbers import compact, measured, percent, signed, typeset
from gamtune.results.artefacts import read_artefact
from gamtune.results.layout import GamFolder

BAND = 1.96  # standard errors on both sides: 95 %
Tests = dict[str, pd.Series]  # each term's row of terms.csv
OVERVIEW_COLUMNS = 3
SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Effect:
    """One term of one variable: its curve (x, effect, se), its test and the rows it was fitted to.

    ``values`` are the column's values in those rows; for a factor the curve's x are its levels.
    """

    term: Term
    curve: pd.DataFrame
    test: pd.Series
    values: pd.Series

    @property
    def label(self) -> str:
        """The name mgcv gives the axis: the term with its effective degrees of freedom."""
        return label(self.term, self.test["edf"])

    @property
    def variable(self) -> Variable:
        """What it is drawn over."""
        return self.term.variables[0]

    def level(self, value: object) -> str:
        """Return the name of a factor's level; ``curves.csv`` may hold whole numbers as 1.0."""
        return compact(float(str(value)), 6) if is_numeric(self.values) else str(value)


def gam_figures(gam_folder: Path, summary: pd.DataFrame, folder: Path) -> dict[str, str]:
    """Draw ``gam_<variable>`` for every term of one variable, ``gam_effects`` with all of them, and
    ``gam_surface_<a>_<b>`` for every ``te()`` and ``ti()`` of two.

    The variable of ``s(log(x))`` is log_x there; its axis is logarithmic, with ticks in the units of x.

    Parameters
    ----------
    gam_folder : Path
        With curves.csv, surfaces.csv, terms.csv, model.csv and summary.txt of a fitted model.
    summary : DataFrame
        ``summary.csv``; its rows with status ok are the data drawn beside the effects.
    folder : Path
        Where the figures go.

    Returns
    -------
    dict of str to str
        Caption of each figure by its file name without suffix.
    """
    rows = summary[summary["status"] == "ok"]
    gam = GamFolder(gam_folder)
    terms = read_artefact(gam.terms)
    tests = {str(test["term"]): test for _, test in terms.iterrows()}
    model = read_artefact(gam.model).iloc[0]
    response = _response(gam.summary)
    captions: dict[str, str] = {}
    effects = list(_effects(read_artefact(gam.curves), tests, rows))
    if effects:
        captions["gam_effects"] = _draw_overview(effects, response, folder / "gam_effects")
        captions["gam_effects"] += " " + _model_in_words(model, terms, response)
    for effect in effects:
        stem = f"gam_{_stem(effect.variable)}"
        words = _draw_alone(effect, response, folder / stem)
        captions[stem] = f"{words} {_test_in_words(effect.test, model)}"
    surfaces = read_artefact(gam.surfaces)
    for name, grid in surfaces.groupby("term", sort=False):
        term, test = parse_term(str(name)), tests[str(name)]
        a, b = term.variables
        stem, title = f"gam_surface_{_stem(a)}_{_stem(b)}", label(term, test["edf"])
        words = draw_surface(grid, (a, b), title, response, rows, folder / stem)
        captions[stem] = f"{words} {_test_in_words(test, model)}"
    return captions


def _stem(variable: Variable) -> str:
    """Return what file names call a variable."""
    return f"{variable.logarithm}_{variable.column}" if variable.logarithm else variable.column


def label(term: Term, edf: float) -> str:
    """Return the name that mgcv gives an axis.

    Examples
    --------
    >>> label(parse_term("s(log(l1))"), 1.02), label(parse_term("rho"), 1)
    ('s(log(l1), 1.0)', 'rho, 1.0')
    """
    return f"{term.label}, {edf:.1f}" if isinstance(term, Linear) else f"{term.label[:-1]}, {edf:.1f})"


def _response(summary: Path) -> str:
    """What the model explains, from the formula in its summary."""
    formula = re.search(r"^(.+?) ~ ", summary.read_text(encoding="utf-8"), re.MULTILINE)
    return formula[1] if formula else "the error"


def _effects(curves: pd.DataFrame, tests: Tests, rows: pd.DataFrame) -> Iterator[Effect]:
    for name, curve in curves.groupby("term", sort=False):
        term = parse_term(str(name))
        if not isinstance(term, Factor):
            curve = curve.assign(x=curve["x"].astype(float))  # text where another term of the file is a factor
        yield Effect(term, curve, tests[str(name)], rows[term.variables[0].column].dropna())


def _draw_alone(effect: Effect, response: str, path: Path) -> str:
    with mpl.rc_context(STYLE):
        figure = new_figure(5.2, 3.6)
        axes = figure.add_subplot()
        _draw(effect, axes)
        axes.set_ylabel(f"effect on {response}")
        save(figure, path)
    return _effect_in_words(effect, response)


def _draw_overview(effects: list[Effect], response: str, path: Path) -> str:
    """All effects on one scale, so that a glance says which are large."""
    columns = OVERVIEW_COLUMNS if len(effects) > 4 else min(2, len(effects))
    lines = ceil(len(effects) / columns)
    with mpl.rc_context(STYLE):
        figure = new_figure(3.0 * columns + 0.4, 2.5 * lines)
        grid = figure.subplots(lines, columns, sharey=True, squeeze=False)
        for axes, effect in zip(grid.flat, effects, strict=False):
            _draw(effect, axes)
        for axes in grid.flat[len(effects) :]:
            axes.set_axis_off()
        figure.supylabel(f"effect on {response}", fontsize=10)
        save(figure, path)
    return (
        "Effects of all one-column terms on one scale: line or point with its 95 % band, the zero line, the rows as a "
        "rug; grey is the null band, which holds 95 % of the effects that noise gives."
    )


def _draw(effect: Effect, axes: Axes) -> None:
    """One effect: null band, curve or levels with its 95 % band, zero line and the rows along the lower edge."""
    axes.axhline(0, color=DATA, linewidth=0.9, linestyle=(0, (4, 3)))
    axes.set_xlabel(effect.variable.column)
    axes.set_title(effect.label, fontsize=10)
    if isinstance(effect.term, Factor):
        _draw_levels(effect, axes)
    else:
        _draw_curve(effect, axes)


def _draw_curve(effect: Effect, axes: Axes) -> None:
    x, middle = effect.curve["x"], effect.curve["effect"]
    half, null = BAND * effect.curve["se"], effect.curve["null"]
    axes.fill_between(x, -null, null, color=NOISE, linewidth=0)
    axes.fill_between(x, middle - half, middle + half, color=EFFECT, alpha=BAND_ALPHA, linewidth=0)
    axes.plot(x, middle, color=EFFECT, linewidth=1.8)
    _draw_rug(effect.values.astype(float), axes)
    column, logarithmic = effect.variable.column, bool(effect.variable.logarithm)
    label_axis(axes, "x", column, effect.values, logarithmic, ticks=4)


def _draw_levels(effect: Effect, axes: Axes) -> None:
    levels = [effect.level(x) for x in effect.curve["x"]]
    places = np.arange(len(levels))
    axes.bar(places, 2 * effect.curve["null"], 0.7, -effect.curve["null"], color=NOISE)
    axes.errorbar(
        places, effect.curve["effect"], BAND * effect.curve["se"], fmt="o", color=EFFECT, capsize=4, linewidth=1.6
    )
    axes.set_xticks(places, levels)
    axes.set_xlim(-0.5, len(levels) - 0.5)
    # rows of a level would lie on one another in a rug: side by side, their number shows
    for place, level in enumerate(levels):
        count = int((effect.values.map(effect.level) == level).sum())
        _draw_rug(place + np.linspace(-0.25, 0.25, count) if count > 1 else np.full(count, float(place)), axes)


def _draw_rug(values: "pd.Series[float] | np.ndarray", axes: Axes) -> None:
    axes.plot(
        values,
        np.full(len(values), 0.025),
        "|",
        color=DATA,
        alpha=0.6,
        markersize=7,
        transform=axes.get_xaxis_transform(),
    )


def _effect_in_words(effect: Effect, response: str) -> str:
    """Where the effect is lowest and highest, and how sure either is."""
    curve = effect.curve
    low, high = (
        f"{signed(point['effect'], 3)} ± {compact(BAND * point['se'], 2)} at "
        + (effect.level(point["x"]) if isinstance(effect.term, Factor) else typeset(compact(float(point["x"]))))
        for point in (curve.iloc[int(curve["effect"].argmin())], curve.iloc[int(curve["effect"].argmax())])
    )
    words = f"Effect of {effect.variable.column} on {response}: lowest {low}, highest {high} (95 % band)."
    if response.startswith("log("):
        words += f" From lowest to highest the error grows by a factor of {measured(exp(np.ptp(curve['effect'])))}."
    return words


def _test_in_words(test: pd.Series, model: pd.Series) -> str:
    """Degrees of freedom, p-value and share of the deviance, each beside what noise gives."""
    return (
        f"edf {test['edf']:.1f} of the model's {model['edf_total']:.1f} (on noise {model['null_edf']:.1f}), "
        f"{model['n']:.0f} rows; {_p(test['p'])} by permutation, {_p(test['p_adjusted'])} for all terms together; "
        f"{percent(test['deviance_share'])} of the deviance (noise: up to {percent(test['null_high'])})."
    )


def _p(p: float) -> str:
    return "p ≤ .001" if p <= 0.001 else f"p = {compact(p, 2)}"


def _model_in_words(model: pd.Series, terms: pd.DataFrame, response: str) -> str:
    """How good the model is beside what it makes of noise, which terms matter and which show nothing."""
    ordered = terms.sort_values("deviance_share", ascending=False)
    clear = ordered[ordered["p_adjusted"] <= SIGNIFICANT]
    silent = ordered[ordered["p_adjusted"] > SIGNIFICANT]
    words = [
        f"The model explains {percent(model['deviance_explained'], 0)} of the deviance of {response} over "
        f"{model['n']:.0f} rows with {model['edf_total']:.1f} edf; of noise it would explain "
        f"{percent(model['null_deviance_explained'], 0)}, rarely more than {percent(model['null_high'], 0)}, with "
        f"{model['null_edf']:.1f} edf ({_p(model['p'])})."
    ]
    if len(clear):
        listed = (f"{row['term']} {percent(row['deviance_share'], 0)}" for _, row in clear.iterrows())
        words.append(f"Share of the deviance: {', '.join(listed)}.")
    if len(silent):
        words.append(f"Not told from noise (p > .05 for all terms together): {', '.join(silent['term'])}.")
    return " ".join(words)

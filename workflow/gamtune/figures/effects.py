"""Effects of the hyperparameters on the error, as the additive model estimates them, with their uncertainty."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, exp
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gamtune.analysis.columns import is_numeric
from gamtune.figures.figure import ReportFigure, SearchResults
from gamtune.figures.registry import Section
from gamtune.figures.surface import draw_surface
from gamtune.figures.theme import BAND_ALPHA, DATA, EFFECT, NOISE, label_axis, new_figure
from gamtune.gam.formula import parse_term
from gamtune.gam.terms import Factor, Linear, Term, Variable
from gamtune.numbers import compact, measured, percent, signed, typeset
from gamtune.results.artefacts import read_artefact
from gamtune.results.layout import StudyFolder

BAND = 1.96  # standard errors on each side of a 95 % band
Tests = dict[str, pd.Series]  # line of each term in terms.csv
OVERVIEW_COLUMNS = 3
SIGNIFICANT = 0.05
OVERVIEW_CAPTION = (
    "Effects of all terms of one variable on one scale: line or point with its 95 % band, the zero line, and the "
    "configurations as ticks. Grey: the null band, which holds 95 % of the effects that noise produces."
)


@dataclass(frozen=True)
class Effect:
    """A term of one variable.

    Parameters
    ----------
    term : Term
        The term.
    curve : DataFrame
        Columns x, effect, se and null; x holds the levels of a factor.
    test : Series
        Line of the term in ``terms.csv``.
    values : Series
        Values of the variable in the configurations that the model was fitted to.
    """

    term: Term
    curve: pd.DataFrame
    test: pd.Series
    values: pd.Series

    @property
    def label(self) -> str:
        """Name that mgcv gives the axis: the term with its effective degrees of freedom."""
        return label(self.term, self.test["edf"])

    @property
    def variable(self) -> Variable:
        """Variable of the term."""
        return self.term.variables[0]

    def level(self, value: object) -> str:
        """Return the name of a factor's level; ``curves.csv`` may hold whole numbers as 1.0."""
        return compact(float(str(value)), 6) if is_numeric(self.values) else str(value)


def draw_effects(study: SearchResults) -> Iterator[ReportFigure]:
    """Draw the effects of the additive model, if there is one.

    ``gam_effects`` shows all terms of one variable, ``gam_<variable>`` one of them, and ``gam_surface_<a>_<b>`` a term
    of two variables. The variable of ``s(log(x))`` is called log_x; its axis is logarithmic, in the units of x.
    """
    gam, rows = StudyFolder(study.folder).gam, study.finished
    if not gam.curves.exists():
        return
    terms = read_artefact(gam.terms)
    tests = {str(test["term"]): test for _, test in terms.iterrows()}
    model = read_artefact(gam.model).iloc[0]
    response = _response(gam.summary)
    effects = list(_effects(read_artefact(gam.curves), tests, rows))
    if effects:
        caption = f"{OVERVIEW_CAPTION} {_model_in_words(model, terms, response)}"
        yield ReportFigure("gam_effects", _overview(effects, response), caption, Section.EFFECTS)
    for effect in effects:
        caption = f"{_effect_in_words(effect, response)} {_test_in_words(effect.test, model)}"
        yield ReportFigure(f"gam_{_stem(effect.variable)}", _alone(effect, response), caption, Section.SINGLE_EFFECTS)
    for name, grid in read_artefact(gam.surfaces).groupby("term", sort=False):
        term, test = parse_term(str(name)), tests[str(name)]
        a, b = term.variables
        figure, words = draw_surface(grid, (a, b), label(term, test["edf"]), response, rows)
        caption = f"{words} {_test_in_words(test, model)}"
        yield ReportFigure(f"gam_surface_{_stem(a)}_{_stem(b)}", figure, caption, Section.EFFECTS)


def _stem(variable: Variable) -> str:
    """Return the name of a variable in file names."""
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
    """Return the response of the model, from the formula in its summary."""
    formula = re.search(r"^(.+?) ~ ", summary.read_text(encoding="utf-8"), re.MULTILINE)
    return formula[1] if formula else "the error"


def _effects(curves: pd.DataFrame, tests: Tests, rows: pd.DataFrame) -> Iterator[Effect]:
    for name, curve in curves.groupby("term", sort=False):
        term = parse_term(str(name))
        if not isinstance(term, Factor):
            curve = curve.assign(x=curve["x"].astype(float))  # text if another term of the file is a factor
        yield Effect(term, curve, tests[str(name)], rows[term.variables[0].column].dropna())


def _alone(effect: Effect, response: str) -> Figure:
    """Return the figure of one effect."""
    figure = new_figure(5.2, 3.6)
    axes = figure.add_subplot()
    _draw(effect, axes)
    axes.set_ylabel(f"effect on {response}")
    return figure


def _overview(effects: list[Effect], response: str) -> Figure:
    """Return the figure of all effects on one scale, which shows how large they are in comparison."""
    columns = OVERVIEW_COLUMNS if len(effects) > 4 else min(2, len(effects))
    lines = ceil(len(effects) / columns)
    figure = new_figure(3.0 * columns + 0.4, 2.5 * lines)
    grid = figure.subplots(lines, columns, sharey=True, squeeze=False)
    for axes, effect in zip(grid.flat, effects, strict=False):
        _draw(effect, axes)
    for axes in grid.flat[len(effects) :]:
        axes.set_axis_off()
    figure.supylabel(f"effect on {response}", fontsize=10)
    return figure


def _draw(effect: Effect, axes: Axes) -> None:
    """Draw one effect: null band, curve or levels with 95 % band, zero line, configurations along the lower edge."""
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
    positions = np.arange(len(levels))
    axes.bar(positions, 2 * effect.curve["null"], 0.7, -effect.curve["null"], color=NOISE)
    axes.errorbar(
        positions, effect.curve["effect"], BAND * effect.curve["se"], fmt="o", color=EFFECT, capsize=4, linewidth=1.6
    )
    axes.set_xticks(positions, levels)
    axes.set_xlim(-0.5, len(levels) - 0.5)
    # Configurations of one level are drawn side by side, so that their number is visible
    for position, level in enumerate(levels):
        count = int((effect.values.map(effect.level) == level).sum())
        _draw_rug(position + np.linspace(-0.25, 0.25, count) if count > 1 else np.full(count, float(position)), axes)


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
    """Return where the effect is lowest and highest, with half the width of the 95 % band."""
    curve = effect.curve
    low, high = (
        f"{signed(point['effect'], 3)} ± {compact(BAND * point['se'], 2)} at "
        + (effect.level(point["x"]) if isinstance(effect.term, Factor) else typeset(compact(float(point["x"]))))
        for point in (curve.iloc[int(curve["effect"].argmin())], curve.iloc[int(curve["effect"].argmax())])
    )
    words = f"Effect of {effect.variable.column} on {response}: lowest {low}, highest {high} (95 % band)."
    if response.startswith("log("):
        words += f" The error at the highest is {measured(exp(np.ptp(curve['effect'])))} times the error at the lowest."
    return words


def _test_in_words(test: pd.Series, model: pd.Series) -> str:
    """Return the degrees of freedom, p-values and share of the deviance of a term, with the values for noise."""
    return (
        f"Effective degrees of freedom: {test['edf']:.1f} of {model['edf_total']:.1f} in the model "
        f"({model['null_edf']:.1f} for noise); {model['n']:.0f} configurations; {_p(test['p'])} by permutation, "
        f"{_p(test['p_adjusted'])} adjusted for all terms; {percent(test['deviance_share'])} of the deviance "
        f"(95 % of noise: up to {percent(test['null_high'])})."
    )


def _p(p: float) -> str:
    return "p ≤ 0.001" if p <= 0.001 else f"p = {compact(p, 2)}"


def _model_in_words(model: pd.Series, terms: pd.DataFrame, response: str) -> str:
    """Return how much the model explains, compared with noise, and which terms are significant."""
    ordered = terms.sort_values("deviance_share", ascending=False)
    clear = ordered[ordered["p_adjusted"] <= SIGNIFICANT]
    unclear = ordered[ordered["p_adjusted"] > SIGNIFICANT]
    words = [
        f"The model explains {percent(model['deviance_explained'], 0)} of the deviance of {response} over "
        f"{model['n']:.0f} configurations with {model['edf_total']:.1f} effective degrees of freedom. For noise, the "
        f"median is {percent(model['null_deviance_explained'], 0)} with {model['null_edf']:.1f} degrees of freedom, "
        f"and 95 % of noise stays below {percent(model['null_high'], 0)} ({_p(model['p'])})."
    ]
    if len(clear):
        listed = (f"{row['term']} {percent(row['deviance_share'], 0)}" for _, row in clear.iterrows())
        words.append(f"Share of the deviance: {', '.join(listed)}.")
    if len(unclear):
        words.append(f"Not distinguishable from noise (adjusted p > {SIGNIFICANT}): {', '.join(unclear['term'])}.")
    return " ".join(words)

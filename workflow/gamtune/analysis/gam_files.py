"""What a fitted additive model leaves on disk: mgcv's summary, its figures as tables, and curves to draw.

Every file appears whole or not at all: it is written aside and renamed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from gamtune.files import write_text
from gamtune.gam.covariates import FloatArray, covariates, span
from gamtune.gam.inference import CONFIDENCE, Inference, infer, null_band
from gamtune.gam.model import FittedGam
from gamtune.gam.terms import Factor, Tensor, Variable
from gamtune.numbers import percent
from gamtune.results.artefacts import write_artefact
from gamtune.results.layout import GamFolder

CURVE_POINTS = 200
SURFACE_POINTS = 50  # a side
FEW_NUMBERS = 12  # whole numbers that a surface is computed at, and at nothing between
FAR = 0.1  # of the observed range: mgcv's plots leave out what is farther from every row (too.far)
STARS = ((0.001, "***"), (0.01, "**"), (0.05, "*"), (0.1, "."), (1.0, " "))


def write_gam(fitted: FittedGam, directory: Path) -> Inference:
    """Write summary.txt, terms.csv, model.csv, effects.csv, curves.csv and surfaces.csv into a directory, and
    warnings.txt if there are any.

    Parameters
    ----------
    fitted : FittedGam
    directory : Path
        Made where it is missing.

    Returns
    -------
    Inference
        What was found of it by permutation.
    """
    inference, folder = infer(fitted), GamFolder(directory)
    write_text(folder.summary, summary_text(fitted, inference))
    if fitted.warnings:
        write_text(folder.warnings, "".join(f"{warning}\n" for warning in fitted.warnings))
    tables = {
        folder.terms: terms(fitted, inference),
        folder.model: model(fitted, inference),
        folder.effects: effects(fitted),
        folder.curves: curves(fitted, inference),
        folder.surfaces: surfaces(fitted, inference),
    }
    for path, table in tables.items():
        write_artefact(table, path)
    return inference


def terms(fitted: FittedGam, inference: Inference) -> pd.DataFrame:
    """One row a term.

    F, p and p_adjusted (Holm) are the permutation test's; ref_df, F_wood and p_wood are mgcv's; null_low and null_high
    hold 95 % of the deviance shares that noise reaches.
    """
    return pd.DataFrame(list(_term_rows(fitted, inference)))


def _term_rows(fitted: FittedGam, inference: Inference) -> Iterator[dict[str, Any]]:
    for term, null, adjusted, (low, high), check in zip(
        fitted.terms, inference.terms, inference.p_adjusted, inference.null_shares(), inference.checks, strict=True
    ):
        yield {
            "term": term.term, "edf": term.edf, "F": null.f, "p": null.p, "p_adjusted": adjusted,
            "deviance_share": term.deviance_share, "null_low": low, "null_high": high,
            "ref_df": term.ref_df, "F_wood": term.f, "p_wood": term.p, **asdict(check),
        }  # fmt: skip


def model(fitted: FittedGam, inference: Inference) -> pd.DataFrame:
    """One row: what the model explains, and what it explains of noise (null_..., over permutations of the response)."""
    null = inference.model
    row = {
        "method": fitted.method, "criterion": fitted.criterion, "scale": fitted.scale, "edf_total": fitted.edf_total,
        "deviance_explained": fitted.deviance_explained, "r_sq_adj": fitted.r_sq_adj, "n": fitted.n,
        "coefficients": len(fitted.coefficients), "p": null.p, "null_edf": float(np.median(null.edf)),
        "null_deviance_explained": float(np.median(null.deviance_explained)),
        "null_high": float(np.quantile(null.deviance_explained, CONFIDENCE)),
    }  # fmt: skip
    return pd.DataFrame([row])


def effects(fitted: FittedGam) -> pd.DataFrame:
    """One line per row of the fit, in its order: fitted, each term's centred effect, each term's standard error as
    ``se:<term>``; all in units of the response, whatever scale the term takes its column on."""
    columns, errors = {}, {}
    for term in fitted.formula.terms:
        columns[term.label], errors[f"se:{term.label}"] = fitted.effect(term.label, fitted.rows)
    return pd.DataFrame({"fitted": fitted.fitted, **columns, **errors})


def curves(fitted: FittedGam, inference: Inference) -> pd.DataFrame:
    """Each one-column term along its observed range: term, x, effect, se, null (half the null band's width); for a
    factor one row per level.

    ``x`` is in the units of the column, also for a logarithm, whose points are evenly spaced on the logarithmic scale.
    """
    pieces = [pd.DataFrame(columns=["term", "x", "effect", "se", "null"])]
    for term, basis in zip(fitted.formula.terms, fitted.bases, strict=True):
        if isinstance(term, Tensor):
            continue
        if isinstance(term, Factor):
            x = pd.Series(list(basis.levels))
        else:
            x = pd.Series(span(fitted.rows, term.variable, CURVE_POINTS))
        points = pd.DataFrame({term.variables[0].column: x})
        effect, error = fitted.effect(term.label, points)
        null = null_band(fitted, inference, term.label, points)
        pieces.append(pd.DataFrame({"term": term.label, "x": x, "effect": effect, "se": error, "null": null}))
    return _stacked(pieces)


def surfaces(fitted: FittedGam, inference: Inference) -> pd.DataFrame:
    """Each two-column te() or ti() on a grid over its observed rectangle: term, a, b, effect, se, null, far.

    ``a`` and ``b`` are the term's first and second column, in their own units; ``null`` is half the width of the null
    band over the points near rows; ``far`` marks points that lie more than ``FAR`` of the observed range (of logarithms
    where the term takes them) away from every row, where the effect is extrapolation and there is no null band.
    """
    pieces = [pd.DataFrame(columns=["term", "a", "b", "effect", "se", "null", "far"])]
    for term in fitted.formula.terms:
        if not isinstance(term, Tensor) or len(term.variables) != 2:
            continue
        sides = [_side(fitted, variable) for variable in term.variables]
        a, b = (side.ravel() for side in np.meshgrid(*sides, indexing="ij"))
        points = pd.DataFrame({variable.column: side for variable, side in zip(term.variables, (a, b), strict=True)})
        effect, error = fitted.effect(term.label, points)
        far = _far(covariates(points, term.variables), covariates(fitted.rows, term.variables))
        null = np.full(len(points), np.nan)
        null[~far] = null_band(fitted, inference, term.label, points[~far])
        columns = {"a": a, "b": b, "effect": effect, "se": error, "null": null, "far": far}
        pieces.append(pd.DataFrame({"term": term.label, **columns}))
    return _stacked(pieces)


def _stacked(pieces: list[pd.DataFrame]) -> pd.DataFrame:
    """All pieces below one another; the empty first one holds the header where there is no other."""
    return pd.concat(pieces[1:], ignore_index=True) if len(pieces) > 1 else pieces[0]


def _side(fitted: FittedGam, variable: Variable) -> FloatArray:
    """One side of a surface's grid; of a few whole numbers, such as depth, just those: nothing is between 2 and 3."""
    values = np.unique(fitted.rows[variable.column].to_numpy(dtype=np.float64))
    if len(values) <= FEW_NUMBERS and (values == values.round()).all():
        return values
    return span(fitted.rows, variable, SURFACE_POINTS)


def _far(points: FloatArray, rows: FloatArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    low, span = rows.min(axis=0), np.ptp(rows, axis=0)
    distance, _ = cKDTree((rows - low) / span).query((points - low) / span)
    return np.asarray(distance > FAR)


def summary_text(fitted: FittedGam, inference: Inference) -> str:
    """The model in the layout of mgcv's ``summary()``, its tests by permutation, with what a reader must know at the
    end."""
    return "\n".join(_summary_lines(fitted, inference)) + "\n"


def _summary_lines(fitted: FittedGam, inference: Inference) -> Iterator[str]:
    yield from ["Family: gaussian", "Link function: identity", "", "Formula:"]
    yield f"{fitted.response} ~ {' + '.join(term.source for term in fitted.formula.terms)}"
    yield from ["", "Parametric coefficients:"]
    yield from _aligned(
        ["", "Estimate", "Std. Error", "t value", "Pr(>|t|)", ""],
        [
            [row.name, f"{row.estimate:.5g}", f"{row.standard_error:.4g}", f"{row.t:.3f}", _p(row.p), _stars(row.p)]
            for row in fitted.parametric
        ],
    )
    yield from ["", "Terms against permuted residuals:"]
    yield from _aligned(
        ["", "edf", "F", "p", "adjusted", "deviance", "of noise", "concurvity", "k-index", ""],
        [_cells(row) for row in _term_rows(fitted, inference)],
    )
    yield from ["---", "Signif. codes:  0 '***' 0.001 '**' 0.01 '*' 0.05 '.' 0.1 ' ' 1", ""]
    yield f"R-sq.(adj) = {fitted.r_sq_adj:.3g}   Deviance explained = {100 * fitted.deviance_explained:.3g}%"
    criterion = "GCV" if fitted.method == "GCV" else "-REML"
    yield f"{criterion} = {fitted.criterion:.5g}  Scale est. = {fitted.scale:.5g}  n = {fitted.n}"
    null = model(fitted, inference).iloc[0]
    yield (
        f"Of noise, this model explains {100 * null['null_deviance_explained']:.3g}% (95% of the time up to"
        f" {100 * null['null_high']:.3g}%) with {null['null_edf']:.3g} edf, where it has {fitted.edf_total:.3g}: p ="
        f" {_p(null['p'])}"
    )
    yield "p: share of permutations that show as much; adjusted: for all terms together (Holm)"
    if fitted.warnings:
        yield ""
        yield from (f"Warning: {warning}" for warning in fitted.warnings)


def _cells(row: dict[str, Any]) -> list[str]:
    """A term's line of the summary."""
    return [
        row["term"], f"{row['edf']:.3f}", f"{row['F']:.3f}", _p(row["p"]), _p(row["p_adjusted"]),
        *(percent(row[share]).replace(" ", "") for share in ("deviance_share", "null_high")),
        f"{row['concurvity_worst']:.2f}",
        "" if row["k_index"] is None else f"{row['k_index']:.2f}", _stars(row["p_adjusted"]),
    ]  # fmt: skip


def _aligned(header: list[str], rows: list[list[str]]) -> Iterator[str]:
    """The first column to the left, numbers to the right, stars to the left."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for first, *figures, last in [header, *rows]:
        cells = [figure.rjust(width) for figure, width in zip(figures, widths[1:-1], strict=True)]
        yield " ".join([first.ljust(widths[0]), *cells, last]).rstrip()


def _p(p: float) -> str:
    return "<2e-16" if p < 2e-16 else f"{p:.3g}"


def _stars(p: float) -> str:
    return next(stars for limit, stars in STARS if p <= limit)

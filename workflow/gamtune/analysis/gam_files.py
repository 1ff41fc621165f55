"""What a fitted additive model leaves on disk: mgcv's summary, its figures as tables, and curves to draw.

Every file appears whole or not at all: it is written aside and renamed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from gamtune.analysis.formula import Factor, Linear, Tensor
from gamtune.analysis.gam import FittedGam
from gamtune.analysis.penalised_fit import FloatArray
from gamtune.files import write_text

CURVE_POINTS = 200
SURFACE_POINTS = 50  # a side
FEW_NUMBERS = 12  # whole numbers that a surface is computed at, and at nothing between
FAR = 0.1  # of the observed range: mgcv's plots leave out what is farther from every row (too.far)
STARS = ((0.001, "***"), (0.01, "**"), (0.05, "*"), (0.1, "."), (1.0, " "))


def write_gam(fitted: FittedGam, directory: Path) -> None:
    """Write summary.txt, terms.csv, model.csv, effects.csv, curves.csv and surfaces.csv into a directory, and
    warnings.txt if there are any.

    Parameters
    ----------
    fitted : FittedGam
    directory : Path
        Made where it is missing.
    """
    write_text(directory / "summary.txt", summary_text(fitted))
    if fitted.warnings:
        write_text(directory / "warnings.txt", "".join(f"{warning}\n" for warning in fitted.warnings))
    tables = {"terms": terms, "model": model, "effects": effects, "curves": curves, "surfaces": surfaces}
    for name, table in tables.items():
        write_text(directory / f"{name}.csv", table(fitted).to_csv(index=False, lineterminator="\n"))


def terms(fitted: FittedGam) -> pd.DataFrame:
    """One row a term: term, edf, ref_df, F, p, deviance_share."""
    columns = ["term", "edf", "ref_df", "f", "p", "deviance_share"]
    return pd.DataFrame([asdict(term) for term in fitted.terms], columns=columns).rename(columns={"f": "F"})


def model(fitted: FittedGam) -> pd.DataFrame:
    """One row: method, criterion, scale, edf_total, deviance_explained, r_sq_adj, n, coefficients."""
    return pd.DataFrame(
        {
            "method": [fitted.method],
            "criterion": [fitted.criterion],
            "scale": [fitted.scale],
            "edf_total": [fitted.edf_total],
            "deviance_explained": [fitted.deviance_explained],
            "r_sq_adj": [fitted.r_sq_adj],
            "n": [fitted.n],
            "coefficients": [len(fitted.coefficients)],
        }
    )


def effects(fitted: FittedGam) -> pd.DataFrame:
    """One row a row of the fit: fitted, each term's centred effect, then each term's standard error as se:<term>."""
    columns, errors = {}, {}
    for term in fitted.formula.terms:
        columns[term.label], errors[f"se:{term.label}"] = fitted.effect(term.label, fitted.rows)
    return pd.DataFrame({"fitted": fitted.fitted, **columns, **errors})


def curves(fitted: FittedGam) -> pd.DataFrame:
    """Each one-column term along its observed range: term, x, effect, se; for a factor one row a level."""
    pieces = [pd.DataFrame(columns=["term", "x", "effect", "se"])]
    for term, basis in zip(fitted.formula.terms, fitted.bases, strict=True):
        if isinstance(term, Tensor):
            continue
        if isinstance(term, Factor):
            x = pd.Series(list(basis.levels))
        else:
            x = pd.Series(_span(fitted, term.column, CURVE_POINTS))
        effect, error = fitted.effect(term.label, pd.DataFrame({term.column: x}))
        pieces.append(pd.DataFrame({"term": term.label, "x": x, "effect": effect, "se": error}))
    return _stacked(pieces)


def surfaces(fitted: FittedGam) -> pd.DataFrame:
    """Each two-column te() on a grid over its observed rectangle: term, a, b, effect, se, far.

    ``a`` and ``b`` are the term's first and second column; ``far`` marks points that lie more than ``FAR`` of the
    observed range away from every row, where the effect is extrapolation.
    """
    pieces = [pd.DataFrame(columns=["term", "a", "b", "effect", "se", "far"])]
    for term in fitted.formula.terms:
        if not isinstance(term, Tensor) or len(term.columns) != 2:
            continue
        sides = [_side(fitted, column) for column in term.columns]
        a, b = (side.ravel() for side in np.meshgrid(*sides, indexing="ij"))
        effect, error = fitted.effect(term.label, pd.DataFrame(dict(zip(term.columns, (a, b), strict=True))))
        far = _far(np.column_stack([a, b]), fitted.rows[list(term.columns)].to_numpy(dtype=np.float64))
        pieces.append(pd.DataFrame({"term": term.label, "a": a, "b": b, "effect": effect, "se": error, "far": far}))
    return _stacked(pieces)


def _stacked(pieces: list[pd.DataFrame]) -> pd.DataFrame:
    """All pieces below one another; the empty first one holds the header where there is no other."""
    return pd.concat(pieces[1:], ignore_index=True) if len(pieces) > 1 else pieces[0]


def _span(fitted: FittedGam, column: str, points: int) -> FloatArray:
    return np.linspace(float(fitted.rows[column].min()), float(fitted.rows[column].max()), points)


def _side(fitted: FittedGam, column: str) -> FloatArray:
    """One side of a surface's grid; of a few whole numbers, such as depth, just those: nothing is between 2 and 3."""
    values = np.unique(fitted.rows[column].to_numpy(dtype=np.float64))
    if len(values) <= FEW_NUMBERS and (values == values.round()).all():
        return values
    return _span(fitted, column, SURFACE_POINTS)


def _far(points: FloatArray, rows: FloatArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    low, span = rows.min(axis=0), np.ptp(rows, axis=0)
    distance, _ = cKDTree((rows - low) / span).query((points - low) / span)
    return np.asarray(distance > FAR)


def summary_text(fitted: FittedGam) -> str:
    """The model in the layout of mgcv's ``summary()``, with what a reader must know at the end."""
    return "\n".join(_summary_lines(fitted)) + "\n"


def _summary_lines(fitted: FittedGam) -> Iterator[str]:
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
    smooth = [
        test
        for term, test in zip(fitted.formula.terms, fitted.terms, strict=True)
        if not isinstance(term, Factor | Linear)
    ]
    if smooth:
        yield from ["", "Approximate significance of smooth terms:"]
        yield from _aligned(
            ["", "edf", "Ref.df", "F", "p-value", ""],
            [[t.term, f"{t.edf:.3f}", f"{t.ref_df:.3f}", f"{t.f:.3f}", _p(t.p), _stars(t.p)] for t in smooth],
        )
    yield from ["---", "Signif. codes:  0 '***' 0.001 '**' 0.01 '*' 0.05 '.' 0.1 ' ' 1", ""]
    yield f"R-sq.(adj) = {fitted.r_sq_adj:.3g}   Deviance explained = {100 * fitted.deviance_explained:.3g}%"
    criterion = "GCV" if fitted.method == "GCV" else "-REML"
    yield f"{criterion} = {fitted.criterion:.5g}  Scale est. = {fitted.scale:.5g}  n = {fitted.n}"
    if fitted.warnings:
        yield ""
        yield from (f"Warning: {warning}" for warning in fitted.warnings)


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

"""The results of a fitted model as tables: terms, model, effects, curves and surfaces."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.spatial import cKDTree

from gamtune.gam.covariates import FloatArray, covariates, span
from gamtune.gam.inference import CONFIDENCE, Inference, null_band
from gamtune.gam.model import FittedGam
from gamtune.gam.rows import ModelRow, TermRow
from gamtune.gam.terms import Factor, Tensor, Term, Variable

CURVE_POINTS = 200
SURFACE_POINTS = 50  # per side
FEW_NUMBERS = 12  # a column with at most so many whole numbers is evaluated at these only
FAR = 0.1  # of the observed range; mgcv's plots omit points that are farther from every row (too.far)


def term_table(fitted: FittedGam, inference: Inference) -> pd.DataFrame:
    """Return one line per term: the permutation test, mgcv's test and the checks.

    Parameters
    ----------
    fitted : FittedGam
        The model.
    inference : Inference
        Its tests.

    Returns
    -------
    DataFrame
        The columns are the attributes of `TermRow`.
    """
    lines = [
        TermRow(
            term=term.term, edf=term.edf, F=null.f, p=null.p, p_adjusted=adjusted,
            deviance_share=term.deviance_share, null_low=low, null_high=high,
            ref_df=term.ref_df, F_wood=term.f, p_wood=term.p, **asdict(check),
        )
        for term, null, adjusted, (low, high), check in zip(
            fitted.terms, inference.terms, inference.p_adjusted, inference.null_shares(), inference.checks, strict=True
        )
    ]  # fmt: skip
    return pd.DataFrame(lines)


def model_table(fitted: FittedGam, inference: Inference) -> pd.DataFrame:
    """Return one line with the statistics of the model.

    Parameters
    ----------
    fitted : FittedGam
        The model.
    inference : Inference
        Its tests.

    Returns
    -------
    DataFrame
        The columns are the attributes of `ModelRow`.
    """
    null = inference.model
    line = ModelRow(
        method=fitted.method,
        criterion=fitted.criterion,
        scale=fitted.scale,
        edf_total=fitted.edf_total,
        deviance_explained=fitted.deviance_explained,
        r_sq_adj=fitted.r_sq_adj,
        n=fitted.n,
        coefficients=len(fitted.coefficients),
        p=null.p,
        null_edf=float(np.median(null.edf)),
        null_deviance_explained=float(np.median(null.deviance_explained)),
        null_high=float(np.quantile(null.deviance_explained, CONFIDENCE)),
    )
    return pd.DataFrame([line])


def effects(fitted: FittedGam) -> pd.DataFrame:
    """Return the effects at the rows of the fit, in their order and in units of the response.

    Returns
    -------
    DataFrame
        ``fitted``, the centred effect of each term by its label, and the standard error of each term as ``se:<label>``.
    """
    columns, errors = {}, {}
    for term in fitted.formula.terms:
        columns[term.label], errors[f"se:{term.label}"] = fitted.effect(term.label, fitted.rows)
    return pd.DataFrame({"fitted": fitted.fitted, **columns, **errors})


def curves(fitted: FittedGam, inference: Inference) -> pd.DataFrame:
    """Return the effect of each one-column term over its observed range.

    Returns
    -------
    DataFrame
        Columns ``term``, ``x``, ``effect``, ``se`` and ``null``, half the width of the null band. ``x`` is in the units
        of the column, evenly spaced on the scale of the term; a factor has one line per level.
    """
    pieces = [pd.DataFrame(columns=["term", "x", "effect", "se", "null"])]
    for term in fitted.formula.terms:
        if not isinstance(term, Tensor):
            points = term_points(fitted, term)
            effect, error = fitted.effect(term.label, points)
            null = null_band(fitted, inference, term.label, points)
            x = points[term.variables[0].column]
            pieces.append(pd.DataFrame({"term": term.label, "x": x, "effect": effect, "se": error, "null": null}))
    return _stacked(pieces)


def surfaces(fitted: FittedGam, inference: Inference) -> pd.DataFrame:
    """Return the effect of each two-column ``te()`` or ``ti()`` on a grid over its observed rectangle.

    Returns
    -------
    DataFrame
        Columns ``term``, ``a``, ``b``, ``effect``, ``se``, ``null`` and ``far``. ``a`` and ``b`` are the columns of the
        term in their own units; ``null`` is half the width of the null band over the points near rows; ``far`` marks
        points whose distance from every row is more than ``FAR`` of the observed range on the scale of the term, where
        the effect is an extrapolation and has no null band.
    """
    pieces = [pd.DataFrame(columns=["term", "a", "b", "effect", "se", "null", "far"])]
    for term in fitted.formula.terms:
        if not isinstance(term, Tensor) or len(term.variables) != 2:
            continue
        points = term_points(fitted, term)
        effect, error = fitted.effect(term.label, points)
        far = _far(covariates(points, term.variables), covariates(fitted.rows, term.variables))
        null = np.full(len(points), np.nan)
        null[~far] = null_band(fitted, inference, term.label, points[~far])
        a, b = (points[variable.column] for variable in term.variables)
        columns = {"a": a, "b": b, "effect": effect, "se": error, "null": null, "far": far}
        pieces.append(pd.DataFrame({"term": term.label, **columns}))
    return _stacked(pieces)


def term_points(fitted: FittedGam, term: Term) -> pd.DataFrame:
    """Return points over the observed range of a term, in the units of its columns.

    Parameters
    ----------
    fitted : FittedGam
        The model.
    term : Term
        A term of its formula.

    Returns
    -------
    DataFrame
        One column per column of the term: the levels of a factor, 200 points of a smooth or a line, a grid of a tensor.
    """
    if isinstance(term, Factor):
        (levels,) = (basis.levels for basis in fitted.bases if basis.label == term.label)
        return pd.DataFrame({term.column: pd.Series(list(levels))})
    if not isinstance(term, Tensor):
        return pd.DataFrame({term.variable.column: span(fitted.rows, term.variable, CURVE_POINTS)})
    sides = [_side(fitted, variable) for variable in term.variables]
    grid = np.meshgrid(*sides, indexing="ij")
    return pd.DataFrame({variable.column: axis.ravel() for variable, axis in zip(term.variables, grid, strict=True)})


def _stacked(pieces: list[pd.DataFrame]) -> pd.DataFrame:
    """Concatenate tables; the first one is empty and provides the header if there are no others."""
    return pd.concat(pieces[1:], ignore_index=True) if len(pieces) > 1 else pieces[0]


def _side(fitted: FittedGam, variable: Variable) -> FloatArray:
    """Return one side of a grid; a column of few whole numbers, such as depth, is evaluated at these only."""
    values: FloatArray = np.unique(fitted.rows[variable.column].to_numpy(dtype=np.float64))
    if len(values) <= FEW_NUMBERS and (values == values.round()).all():
        return values
    return span(fitted.rows, variable, SURFACE_POINTS)


def _far(points: FloatArray, rows: FloatArray) -> npt.NDArray[np.bool_]:
    low, width = rows.min(axis=0), np.ptp(rows, axis=0)
    distance: Any = cKDTree((rows - low) / width).query((points - low) / width)[0]
    return np.asarray(distance > FAR)

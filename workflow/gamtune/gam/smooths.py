"""The basis of each term: mgcv's functions and penalties, written in pyGAM's B-splines.

pyGAM's own terms differ from mgcv's. Their knots are uniform and k functions are k B-splines, whereas mgcv's ``s()`` is
a thin plate regression spline and the knots of its ``te()`` are quantiles. Each column therefore gets one fine pyGAM
``SplineTerm`` with pyGAM's second-derivative penalty, and mgcv's k functions are k combinations of its B-splines, equal
to mgcv's to four digits. The B-splines are continued linearly beyond the observed range.

Sources: Wood (2003), Thin plate regression splines, JRSS B 65; Wood (2017), Generalized Additive Models, 2nd edition,
sections 5.3.1 (cubic regression splines), 5.4.3 (centring), 5.5 (thin plates) and 5.6 (tensor products).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
import pandas as pd
from pygam.terms import SplineTerm
from scipy import linalg
from scipy.interpolate import CubicSpline

from gamtune.gam.covariates import FloatArray, covariate
from gamtune.gam.errors import DataError
from gamtune.gam.terms import Factor, Linear, Smooth, Tensor, Term, Variable

FINE_SPLINES = 60  # B-splines per column; effects are then within 1e-4 standard deviations of the response of mgcv's
GRID_PER_SPLINE = 6  # points per B-spline at which mgcv's functions are projected on the B-splines
MAX_KERNEL_POINTS = 400  # the thin plate kernel is a square matrix of this size; mgcv's limit is 2000
STRAIGHT = 2  # functions without curvature, a constant and a slope, which are not penalised


@dataclass(frozen=True)
class Margin:
    """k functions of one variable as combinations of pyGAM's B-splines.

    Attributes
    ----------
    variable : Variable
        The covariate.
    spline : pygam.terms.SplineTerm
        The B-splines.
    weights : (splines, k) float64
        Coefficients of the functions in the B-splines.
    penalty : (k, k) float64
        Integrated squared second derivative.
    straight : int
        Number of eigenvalues of the penalty that are zero.
    """

    variable: Variable
    spline: SplineTerm
    weights: FloatArray
    penalty: FloatArray
    straight: int = STRAIGHT

    def __call__(self, table: pd.DataFrame) -> FloatArray:
        """Return the values of the k functions, (n, k), which are linear beyond the observed range."""
        return _b_splines(self.spline, covariate(table, self.variable)) @ self.weights

    def centred(self, table: pd.DataFrame) -> Margin:
        """Return k - 1 functions that sum to zero over the rows of a table, as in mgcv's ``ti()``."""
        centring = _null_space(self(table).mean(axis=0))
        penalty = centring.T @ self.penalty @ centring
        return replace(self, weights=self.weights @ centring, penalty=penalty, straight=self.straight - 1)


@dataclass(frozen=True)
class Basis:
    """The centred columns of one term and their penalties.

    Attributes
    ----------
    term : Term
        The term of the formula.
    size : int
        Number p of columns.
    design : callable
        Function from a table to the (n, p) columns. Over the rows of the fit each column sums to zero, except in
        ``ti()``.
    penalties : tuple of (p, p) float64
        One per smoothing parameter, each with the trace of X'X; empty for an unpenalised term.
    spectrum : (rank, penalties) float64
        Eigenvalues of the penalties in their common eigenvectors. The log determinant of the weighted sum of the
        penalties is the sum of ``log(spectrum @ weights)``, which is accurate however much the weights differ.
    reml_constant : float
        Contribution of the scaling of the columns to -REML, so that the criterion is mgcv's.
    reported : tuple of (name, (p,) contrast)
        Parametric coefficients as R reports them; empty for smooth terms.
    reference : (p,) float64
        The columns at R's reference point, which is x = 0 or the first level.
    levels : tuple
        Levels of a factor; empty for other terms.
    """

    term: Term
    size: int
    design: Callable[[pd.DataFrame], FloatArray]
    penalties: tuple[FloatArray, ...]
    spectrum: FloatArray
    reml_constant: float
    reported: tuple[tuple[str, FloatArray], ...]
    reference: FloatArray
    levels: tuple[object, ...] = ()

    @property
    def label(self) -> str:
        """mgcv's name of the term."""
        return self.term.label


def build_basis(term: Term, table: pd.DataFrame) -> Basis:
    """Return the basis of one term on the rows of a fit.

    Parameters
    ----------
    term : Term
        The term of the formula.
    table : DataFrame
        The rows of the fit, without missing values.

    Raises
    ------
    DataError
        If a cell is not a number, or has no logarithm.
    """
    if isinstance(term, Factor):
        return _factor(term, table)
    if isinstance(term, Linear):
        return _linear(term, table)
    return _smooth(term, table)


def _smooth(term: Smooth | Tensor, table: pd.DataFrame) -> Basis:
    if isinstance(term, Smooth):
        margins = [_thin_plate_margin(term.variable, covariate(table, term.variable), term.k)]
    else:
        margins = [_cubic_margin(variable, covariate(table, variable), k) for variable, k in term.margins]
    interaction = isinstance(term, Tensor) and term.function == "ti"
    if interaction:
        margins = [margin.centred(table) for margin in margins]
    raw = _row_products(margins, table)
    centring = np.eye(raw.shape[1]) if interaction else _null_space(raw.mean(axis=0))
    penalties = [centring.T @ penalty @ centring for penalty in _kronecker_penalties(margins)]
    columns = raw @ centring
    # All penalties are on the scale of the data, so that a smoothing parameter means the same in every term.
    scales = np.array([np.square(columns).sum() / np.trace(penalty) for penalty in penalties])
    penalties = [scale * penalty for scale, penalty in zip(scales, penalties, strict=True)]
    spectrum = _spectrum(margins) * scales
    rank = len(spectrum)
    centred_log_determinant = np.log(np.linalg.eigvalsh(np.sum(penalties, axis=0))[-rank:]).sum()
    return Basis(
        term=term,
        size=centring.shape[1],
        design=lambda rows: _row_products(margins, rows) @ centring,
        penalties=tuple(penalties),
        spectrum=spectrum,
        # Centring multiplies the determinant by a factor that does not depend on the smoothing parameters.
        reml_constant=-float(centred_log_determinant - np.log(spectrum.sum(axis=1)).sum()) / 2,
        reported=(),
        reference=np.zeros(centring.shape[1]),
    )


def _linear(term: Linear, table: pd.DataFrame) -> Basis:
    x = covariate(table, term.variable)
    mean, spread = float(x.mean()), float(x.std())
    return Basis(
        term=term,
        size=1,
        design=lambda rows: ((covariate(rows, term.variable) - mean) / spread)[:, np.newaxis],
        penalties=(),
        spectrum=np.zeros((0, 0)),
        reml_constant=float(np.log(spread)),
        reported=((term.label, np.array([1 / spread])),),
        reference=np.array([-mean / spread]),
    )


def _factor(term: Factor, table: pd.DataFrame) -> Basis:
    levels = tuple(pd.Categorical(table[term.column].astype(object)).categories)  # sorted if they can be compared

    def indicators(rows: pd.DataFrame) -> FloatArray:
        unknown = sorted(set(rows[term.column]) - set(levels), key=str)
        if unknown:
            raise DataError(f"{term.source}: no row of the fit has {term.column} = {unknown[0]}")
        return np.stack([(rows[term.column] == level).to_numpy(dtype=np.float64) for level in levels], axis=1)

    centring = _null_space(indicators(table).mean(axis=0))
    contrasts = centring[1:] - centring[0]
    return Basis(
        term=term,
        size=len(levels) - 1,
        design=lambda rows: indicators(rows) @ centring,
        penalties=(),
        spectrum=np.zeros((0, 0)),
        reml_constant=-float(np.linalg.slogdet(contrasts)[1]),
        reported=tuple((f"{term.column}{level}", row) for level, row in zip(levels[1:], contrasts, strict=True)),
        reference=centring[0],
        levels=levels,
    )


def _thin_plate_margin(variable: Variable, x: FloatArray, k: int) -> Margin:
    """Return mgcv's ``s()``: a constant, a slope, and the k - 2 leading curved functions of a thin plate spline."""
    low, span = x.min(), np.ptp(x)
    knots = (np.unique(x) - low) / span
    if len(knots) > MAX_KERNEL_POINTS:
        knots = knots[np.linspace(0, len(knots) - 1, MAX_KERNEL_POINTS).round().astype(int)]
    eigenvalues, vectors = np.linalg.eigh(_kernel(knots, knots))
    leading = vectors[:, np.argsort(-np.abs(eigenvalues))[:k]]
    # The curved functions are orthogonal to straight lines, so that they end in one and no line is penalised.
    line = np.stack([np.ones_like(knots), knots], axis=1)
    curved = leading @ np.linalg.qr(leading.T @ line, mode="complete")[0][:, STRAIGHT:]
    centre = float((x.mean() - low) / span)

    def functions(u: FloatArray) -> FloatArray:
        return np.column_stack([np.ones_like(u), u - centre, _kernel(u, knots) @ curved])

    margin = _project(variable, x, k, functions)
    scale = np.sqrt(np.square(_b_splines(margin.spline, x) @ margin.weights).mean(axis=0))
    penalty = margin.penalty / np.outer(scale, scale)
    penalty[:STRAIGHT] = penalty[:, :STRAIGHT] = 0  # remove rounding errors
    return replace(margin, weights=margin.weights / scale, penalty=penalty)


def _cubic_margin(variable: Variable, x: FloatArray, k: int) -> Margin:
    """Return mgcv's margin of ``te()``: natural cubic splines whose coefficients are their values at k quantiles."""
    knots = (np.quantile(np.unique(x), np.linspace(0, 1, k)) - x.min()) / np.ptp(x)
    return _project(variable, x, k, CubicSpline(knots, np.eye(k), bc_type="natural"))


def _kernel(u: FloatArray, knots: FloatArray) -> FloatArray:
    """Return the thin plate kernel in one dimension, (len(u), len(knots))."""
    return np.abs(u[:, np.newaxis] - knots) ** 3 / 12


def _project(variable: Variable, x: FloatArray, k: int, functions: Callable[[FloatArray], FloatArray]) -> Margin:
    """Return k functions on the unit interval as combinations of pyGAM's B-splines over the range of x."""
    splines = max(FINE_SPLINES, 3 * k)
    spline = SplineTerm(0, n_splines=splines, lam=1.0).compile(x[:, np.newaxis])
    grid = np.linspace(0, 1, GRID_PER_SPLINE * splines)
    weights = linalg.lstsq(_b_splines(spline, x.min() + grid * np.ptp(x)), functions(grid))[0]
    # pyGAM's penalty sums squared second differences; with uniform knots this is the integral times spacing cubed.
    penalty = spline.build_penalties().toarray() * (splines - spline.spline_order) ** 3
    return Margin(variable, spline, weights, weights.T @ penalty @ weights)


def _b_splines(spline: SplineTerm, x: FloatArray) -> FloatArray:
    return np.asarray(spline.build_columns(x[:, np.newaxis]).toarray(), dtype=np.float64)


def _row_products(margins: list[Margin], table: pd.DataFrame) -> FloatArray:
    """Return all products of one function per margin, (n, product of the ks)."""
    columns = margins[0](table)
    for margin in margins[1:]:
        columns = (columns[:, :, np.newaxis] * margin(table)[:, np.newaxis, :]).reshape(len(table), -1)
    return columns


def _kronecker_penalties(margins: list[Margin]) -> list[FloatArray]:
    """Return one penalty per margin: the penalty of the margin, summed over the functions of all others."""
    identities = [np.eye(len(margin.penalty)) for margin in margins]
    return [
        reduce(_kronecker, [*identities[:place], margin.penalty, *identities[place + 1 :]])
        for place, margin in enumerate(margins)
    ]


def _kronecker(left: FloatArray, right: FloatArray) -> FloatArray:
    return np.asarray(np.kron(left, right), dtype=np.float64)  # the type that np.kron declares is too wide for reduce


def _spectrum(margins: list[Margin]) -> FloatArray:
    """Return the eigenvalues of the Kronecker penalties in their common eigenvectors, without zero rows."""
    eigenvalues = [np.linalg.eigvalsh(margin.penalty) for margin in margins]
    for margin, values in zip(margins, eigenvalues, strict=True):
        values[: margin.straight] = 0  # remove rounding errors: straight lines are not penalised
    combined = np.stack([axis.ravel() for axis in np.meshgrid(*eigenvalues, indexing="ij")], axis=1)
    return combined[combined.any(axis=1)]


def _null_space(constraint: FloatArray) -> FloatArray:
    """Return an orthonormal basis, (k, k - 1), of all coefficients c with ``constraint @ c = 0``."""
    return np.linalg.qr(constraint[:, np.newaxis], mode="complete")[0][:, 1:]

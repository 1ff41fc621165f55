"""Checks of a fitted model's terms: mgcv's ``concurvity`` and ``k.check``.

Source: Wood (2017), Generalized Additive Models, 2nd edition, sections 5.6.3 (concurvity) and 5.9 (basis dimension).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import linalg
from scipy.spatial import cKDTree

from gamtune.gam.covariates import FloatArray, IntArray, covariates, natural
from gamtune.gam.model import FittedGam
from gamtune.gam.terms import Smooth, Tensor

NEIGHBOURS = 3  # per row, in a term of several columns; as in mgcv
STEP = 1e-3  # step of the finite differences that measure the slope of an effect, relative to the column's range


@dataclass(frozen=True)
class Check:
    """Concurvity and k-index of one term.

    Attributes
    ----------
    concurvity_worst, concurvity_observed : float
        How well the other terms can approximate this term, from 0 to 1: its worst function, and its fitted effect.
    k_index : float or None
        Mean squared difference of the residuals of neighbouring rows relative to the residual variance. A value below 1
        with a small p-value indicates that k is too small. None for a straight line or a factor.
    k_p : float or None
        p-value of the k-index, by permutation of the residuals.
    """

    concurvity_worst: float
    concurvity_observed: float
    k_index: float | None
    k_p: float | None


def check_terms(fitted: FittedGam, permutations: IntArray) -> list[Check]:
    """Check every term of a model.

    Parameters
    ----------
    fitted : FittedGam
        The model.
    permutations : (n, m) int
        Orders of the n residuals, one per column, that the k-index is compared with.

    Returns
    -------
    list of Check
        One per term, in the order of the formula.
    """
    checks = []
    for term, block in zip(fitted.formula.terms, fitted.problem.blocks, strict=True):
        worst, observed = _concurvity(fitted, block)
        index, p = None, None
        if isinstance(term, Smooth | Tensor):
            index, p = _k_index(fitted.residuals / fitted.unit, _neighbours(fitted, term), permutations)
        checks.append(Check(worst, observed, index, p))
    return checks


def _concurvity(fitted: FittedGam, block: slice) -> tuple[float, float]:
    r = fitted.problem.r
    own = r[:, block]
    others = linalg.qr(np.delete(r, np.r_[block], axis=1), mode="economic")[0]
    within = others.T @ own  # projection of each column on the columns of the other terms
    basis, triangle = linalg.qr(own, mode="economic")
    worst = float(np.linalg.norm(others.T @ basis, ord=2) ** 2)
    effect = fitted.coefficients[block]
    total = float(np.square(triangle @ effect).sum())
    return worst, float(np.square(within @ effect).sum()) / total if total else 0.0


def _neighbours(fitted: FittedGam, term: Smooth | Tensor) -> IntArray:
    """Return the pairs of rows, (pairs, 2), that are neighbours in the term's columns."""
    places = covariates(fitted.rows, term.variables)
    if isinstance(term, Smooth):
        order = np.argsort(places[:, 0], kind="stable")
        return np.column_stack([order[:-1], order[1:]])
    scaled = (places - places.min(axis=0)) / np.ptp(places, axis=0) * _slopes(fitted, term, places)  # as in mgcv
    _, found = cKDTree(scaled).query(scaled, k=NEIGHBOURS + 1)
    own = np.arange(len(scaled))
    # If rows are tied, a row need not be its own first neighbour.
    others = np.stack([row[row != number][:NEIGHBOURS] for number, row in zip(own, found, strict=True)])
    return np.column_stack([np.repeat(own, NEIGHBOURS), others.ravel()])


def _slopes(fitted: FittedGam, term: Tensor, places: FloatArray) -> FloatArray:
    """Return the mean absolute slope of the effect along each variable, so that one without effect is ignored."""

    def effect(at: FloatArray) -> FloatArray:
        columns = {
            variable.column: natural(variable, values) for variable, values in zip(term.variables, at.T, strict=True)
        }
        return fitted.effect(term.label, pd.DataFrame(columns))[0]

    here, steps = effect(places), STEP * np.ptp(places, axis=0)
    return np.array([float(np.abs(effect(places + step) - here).mean() / step.sum()) for step in np.diag(steps)])


def _k_index(residuals: FloatArray, pairs: IntArray, permutations: IntArray) -> tuple[float, float]:
    def variance(values: FloatArray) -> float:
        return float(np.square(values[pairs[:, 0]] - values[pairs[:, 1]]).mean() / 2)

    own = variance(residuals)
    shuffled = np.array([variance(residuals[order]) for order in permutations.T])
    return own / float(np.square(residuals).mean()), float((1 + np.sum(shuffled <= own)) / (1 + len(shuffled)))

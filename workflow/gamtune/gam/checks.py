"""Whether a model's terms can be told apart and have room enough: mgcv's ``concurvity`` and ``k.check``.

Source: Wood (2017), Generalized Additive Models, 2nd edition, sections 5.6.3 (concurvity) and 5.9 (basis dimension).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import linalg
from scipy.spatial import cKDTree

from gamtune.gam.covariates import FloatArray, covariates, natural
from gamtune.gam.model import FittedGam
from gamtune.gam.terms import Smooth, Tensor

NEIGHBOURS = 3  # as mgcv, for terms of several columns
STEP = 1e-3  # of a column's range: where an effect's slope is measured


@dataclass(frozen=True)
class Check:
    """One term's concurvity, as its worst case and as observed, and its k-index with its p-value.

    Concurvity is the share of the term that the other terms could stand for, 0 to 1. A k-index below 1 with a small p
    says that residuals of neighbours resemble each other: k may be too low. None for lines and factors.
    """

    concurvity_worst: float
    concurvity_observed: float
    k_index: float | None
    k_p: float | None


def check_terms(fitted: FittedGam, permutations: np.ndarray) -> list[Check]:
    """Check every term; the k-index against residuals in the orders of ``permutations``, (n, m) int."""
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
    within = others.T @ own  # what the others can say of each column
    basis, triangle = linalg.qr(own, mode="economic")
    worst = float(np.linalg.norm(others.T @ basis, ord=2) ** 2)
    effect = fitted.coefficients[block]
    whole = float(np.square(triangle @ effect).sum())
    return worst, float(np.square(within @ effect).sum()) / whole if whole else 0.0


def _neighbours(fitted: FittedGam, term: Smooth | Tensor) -> np.ndarray:
    """Pairs of rows, (pairs, 2), that are next to each other in the term's columns."""
    places = covariates(fitted.rows, term.variables)
    if isinstance(term, Smooth):
        order = np.argsort(places[:, 0], kind="stable")
        return np.column_stack([order[:-1], order[1:]])
    scaled = (places - places.min(axis=0)) / np.ptp(places, axis=0) * _slopes(fitted, term, places)  # as mgcv does
    _, found = cKDTree(scaled).query(scaled, k=NEIGHBOURS + 1)
    own = np.arange(len(scaled))
    # among ties a row need not be its own first neighbour
    others = np.stack([row[row != number][:NEIGHBOURS] for number, row in zip(own, found, strict=True)])
    return np.column_stack([np.repeat(own, NEIGHBOURS), others.ravel()])


def _slopes(fitted: FittedGam, term: Tensor, places: FloatArray) -> FloatArray:
    """Return the mean size of the effect's slope along each variable: one without effect must not part neighbours."""

    def effect(at: FloatArray) -> FloatArray:
        columns = {
            variable.column: natural(variable, values) for variable, values in zip(term.variables, at.T, strict=True)
        }
        return fitted.effect(term.label, pd.DataFrame(columns))[0]

    here, steps = effect(places), STEP * np.ptp(places, axis=0)
    return np.array([float(np.abs(effect(places + step) - here).mean() / step.sum()) for step in np.diag(steps)])


def _k_index(residuals: FloatArray, pairs: np.ndarray, permutations: np.ndarray) -> tuple[float, float]:
    def variance(values: FloatArray) -> float:
        return float(np.square(values[pairs[:, 0]] - values[pairs[:, 1]]).mean() / 2)

    own = variance(residuals)
    shuffled = np.array([variance(residuals[order]) for order in permutations.T])
    return own / float(np.square(residuals).mean()), float((1 + np.sum(shuffled <= own)) / (1 + len(shuffled)))

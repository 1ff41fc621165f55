"""Permutation test of the whole model: how much it explains of a response that is unrelated to the columns.

A model with many coefficients explains a large share of pure noise, so the deviance explained is compared with that of
permuted responses.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gamtune.gam.covariates import FloatArray, IntArray
from gamtune.gam.penalised_fit import Method, Problem

START = 3.0  # log smoothing parameters at the start: nearly straight lines, which is where fits of noise end
OPTIONS = {"maxiter": 60, "ftol": 1e-7, "gtol": 1e-3}


@dataclass(frozen=True)
class NullModel:
    """Result of the permutation test of the whole model.

    Attributes
    ----------
    p : float
        Share of the permutations, including the observed order, that explain at least as much as the observed order.
    deviance_explained : (permutations,) float64
        Share of the deviance that the model explains of each permuted response.
    edf : (permutations,) float64
        Effective degrees of freedom of each fit.
    """

    p: float
    deviance_explained: FloatArray
    edf: FloatArray


def null_model(problem: Problem, method: Method, permutations: IntArray) -> NullModel:
    """Fit the model to permuted responses.

    Parameters
    ----------
    problem : Problem
        The least squares problem of the model.
    method : {"REML", "GCV"}
        Criterion that selects the smoothing parameters of each fit.
    permutations : (n, m) int
        Orders of the rows, one per column.

    Returns
    -------
    NullModel
        The p-value and the distribution under the null hypothesis.
    """
    observed, _ = _explained(problem, method)
    fits = np.array([_explained(problem.with_response(problem.y[order]), method) for order in permutations.T])
    explained, edf = fits.T
    return NullModel(float((1 + np.sum(explained >= observed)) / (1 + len(explained))), explained, edf)


def _explained(problem: Problem, method: Method) -> tuple[float, float]:
    start = np.full(len(problem.penalties), START)
    fit = problem.solve(problem.descend(method, start, OPTIONS).x if len(start) else start)
    return 1 - fit.deviance / problem.null_deviance, problem.edf(fit)

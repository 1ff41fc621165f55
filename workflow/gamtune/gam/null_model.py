"""What the whole model would explain if no column did anything: the response permuted against the rows.

A design of many columns explains much of pure noise; only what lies beyond that is a finding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gamtune.gam.covariates import FloatArray
from gamtune.gam.penalised_fit import Method, Problem

START = 3.0  # log smoothing parameters from which noise is fitted: near straight lines, where noise ends
OPTIONS = {"maxiter": 60, "ftol": 1e-7, "gtol": 1e-3}


@dataclass(frozen=True)
class NullModel:
    """Deviance explained and effective degrees of freedom on each permutation, and the data's p-value.

    ``p`` is the share of permutations, the data among them, that explain at least as much.
    """

    p: float
    deviance_explained: FloatArray
    edf: FloatArray


def null_model(problem: Problem, method: Method, permutations: np.ndarray) -> NullModel:
    """Fit the model to permuted responses.

    Parameters
    ----------
    problem : Problem
        Of the data.
    method : {"REML", "GCV"}
        What chooses the smoothing parameters, for the data and each permutation from the same start.
    permutations : (n, m) int
        Orders of the rows, one a column.
    """
    own, _ = _explained(problem, method)
    told = np.array([_explained(problem.with_response(problem.y[order]), method) for order in permutations.T])
    explained, edf = told.T
    return NullModel(float((1 + np.sum(explained >= own)) / (1 + len(explained))), explained, edf)


def _explained(problem: Problem, method: Method) -> tuple[float, float]:
    start = np.full(len(problem.penalties), START)
    fit = problem.solve(problem.descend(method, start, OPTIONS).x if len(start) else start)
    return 1 - fit.deviance / problem.null_deviance, problem.edf(fit)

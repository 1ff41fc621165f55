"""Permutation test of each term: the distribution of its statistic and of its effect if it has no effect.

The model without the term is fitted, its residuals are permuted and added back, and the smoothing parameters of the
term are selected again for each permutation, as they were for the data. The smoothing parameters of the other terms are
fixed. All permutations are therefore solved together at each point of a grid, and a thousand of them take less time
than one fit of the model.

Sources: Freedman and Lane (1983), A nonstochastic interpretation of reported significance levels, JBES 1; Winkler et
al. (2014), Permutation inference for the general linear model, NeuroImage 92 (the scheme and its accuracy).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import stats

from gamtune.gam.covariates import FloatArray, IntArray
from gamtune.gam.penalised_fit import Method, Problem

GRID = {1: np.linspace(-8, 14, 12), 2: np.linspace(-6, 12, 7)}  # log smoothing parameters, by their number in the term
COARSE = np.linspace(-4, 10, 4)  # of terms with three or more
LEAST_DF = 0.1  # lower bound of the degrees of freedom that a term adds to the model
NULL_FIT = {"maxiter": 100, "ftol": 1e-8, "gtol": 1e-4}


@dataclass(frozen=True)
class NullTerm:
    """Result of the permutation test of one term.

    Attributes
    ----------
    f : float
        Deviance per effective degree of freedom that the term explains in addition to all others, divided by the
        residual variance.
    p : float
        Share of the permutations, including the observed order, whose statistic is at least as large.
    shares : (permutations,) float64
        Share of the null deviance that the term explains of each permuted response.
    coefficients : (size of the term, permutations) float64
        Coefficients of the term for each permuted response.
    """

    f: float
    p: float
    shares: FloatArray
    coefficients: FloatArray


def null_term(
    problem: Problem, term: int, log_smoothing: FloatArray, method: Method, permutations: IntArray
) -> NullTerm:
    """Test one term.

    Parameters
    ----------
    problem : Problem
        The least squares problem of the whole model.
    term : int
        Position of the term in the formula.
    log_smoothing : (penalties,) float64
        Log smoothing parameters of the whole model, from which those of the model without the term are selected.
    method : {"REML", "GCV"}
        Criterion that selects the smoothing parameters of the term.
    permutations : (n, m) int
        Orders of the rows, one per column.

    Returns
    -------
    NullTerm
        The statistic, the p-value and the distribution under the null hypothesis.
    """
    start = sum(len(basis.penalties) for basis in problem.bases[:term])
    own = slice(start, start + len(problem.bases[term].penalties))
    others = np.delete(log_smoothing, np.r_[own])
    reduced, others = _without(problem, term, others)
    fitted = reduced.design @ reduced.solve(others).coefficients
    residuals = problem.y - fitted
    responses = np.column_stack([problem.y, fitted[:, np.newaxis] + residuals[permutations]])
    _, without, edf_without, _ = reduced.criteria(method, others, *reduced.project(responses))
    chosen = _choose(problem, term, own, others, method, *problem.project(responses))
    gained = np.maximum(without - chosen.deviance, 0)
    df, free = np.maximum(chosen.edf - edf_without, LEAST_DF), problem.n - chosen.edf
    f = gained / df / (chosen.deviance / free)
    # The fits differ in their degrees of freedom; tail probabilities make their statistics comparable.
    evidence = -stats.f.logsf(f, df, free)
    return NullTerm(
        f=float(f[0]),
        p=float(np.mean(evidence >= evidence[0] * (1 - 1e-12))),
        shares=gained[1:] / np.square(responses[:, 1:] - responses[:, 1:].mean(axis=0)).sum(axis=0),
        coefficients=chosen.coefficients[:, 1:],
    )


def _without(problem: Problem, term: int, others: FloatArray) -> tuple[Problem, FloatArray]:
    """Return the model without a term and its log smoothing parameters; without the only term, it is the mean.

    REML selects them for both methods. With GCV the permuted residuals would be too small, and 7 % instead of 5 % of
    pure noise would be significant.
    """
    bases = tuple(basis for number, basis in enumerate(problem.bases) if number != term)
    kept = np.delete(np.arange(problem.p), np.r_[problem.blocks[term]])
    reduced = Problem(bases, problem.design[:, kept], problem.y)
    return reduced, reduced.descend("REML", others, NULL_FIT).x if len(others) else others


@dataclass(frozen=True)
class _Chosen:
    deviance: FloatArray
    edf: FloatArray
    coefficients: FloatArray


def _choose(
    problem: Problem,
    term: int,
    own: slice,
    others: FloatArray,
    method: Method,
    projected: FloatArray,
    outside: FloatArray,
) -> _Chosen:
    """Return the fit of each response at the point of the grid that minimises the criterion."""
    block, count = problem.blocks[term], own.stop - own.start
    responses = projected.shape[1]
    best = np.full(responses, np.inf)
    deviance, edf = np.empty(responses), np.empty(responses)
    coefficients = np.empty((block.stop - block.start, responses))
    for point in product(GRID.get(count, COARSE), repeat=count):
        log_smoothing = np.concatenate([others[: own.start], point, others[own.start :]])
        values, lost, used, found = problem.criteria(method, log_smoothing, projected, outside)
        better = values < best
        best[better], deviance[better], edf[better] = values[better], lost[better], used
        coefficients[:, better] = found[block][:, better]
    return _Chosen(deviance, edf, coefficients)


def holm(p: FloatArray) -> FloatArray:
    """Adjust p-values for multiple tests, so that the probability of any false positive is controlled.

    Parameters
    ----------
    p : (m,) float64
        p-values.

    Returns
    -------
    (m,) float64
        Adjusted p-values, in the same order.

    Source: Holm (1979), A simple sequentially rejective multiple test procedure, Scand. J. Statist. 6; R's
    ``p.adjust(p, "holm")``.

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, 0.03])).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p)))), 1)
    return adjusted

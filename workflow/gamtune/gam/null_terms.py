"""What each term of a model would look like if it did nothing: residuals permuted on top of all other terms.

The model without the term is fitted, its residuals are permuted and added back, and the term's smoothing parameters
are chosen anew for each permutation, as they were for the data. Those of the other terms stay, so all permutations are
solved at once for each point of a grid, which is why a thousand cost less than one fit.

Sources: Freedman and Lane (1983), A nonstochastic interpretation of reported significance levels, JBES 1; Winkler et
al. (2014), Permutation inference for the general linear model, NeuroImage 92 (the scheme and its accuracy).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import stats

from gamtune.gam.covariates import FloatArray
from gamtune.gam.penalised_fit import Method, Problem

GRID = {1: np.linspace(-8, 14, 12), 2: np.linspace(-6, 12, 7)}  # log smoothing parameters, by how many a term has
COARSE = np.linspace(-4, 10, 4)  # of terms with more
NULL_FIT = {"maxiter": 100, "ftol": 1e-8, "gtol": 1e-4}


@dataclass(frozen=True)
class NullTerm:
    """A term's statistic on the data and on each permutation, and its coefficients on each.

    Attributes
    ----------
    f : float
        Deviance that the term explains beyond all others, an effective degree of freedom, over the residual variance.
    p : float
        Share of permutations, the data among them, whose statistic is at least as large.
    shares : (permutations,)
        Share of the null deviance that the term explains.
    coefficients : (size of the term, permutations)
    """

    f: float
    p: float
    shares: FloatArray
    coefficients: FloatArray


def null_term(
    problem: Problem, term: int, log_smoothing: FloatArray, method: Method, permutations: np.ndarray
) -> NullTerm:
    """Test one term.

    Parameters
    ----------
    problem : Problem
        Of the whole model.
    term : int
        Which one.
    log_smoothing : (penalties,)
        The whole model's; those of the other terms are chosen again from there without this one.
    method : {"REML", "GCV"}
        What chooses the term's own.
    permutations : (n, m) int
        Orders of the rows, one a column.
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
    df, free = np.maximum(chosen.edf - edf_without, 0.1), problem.n - chosen.edf
    f = gained / df / (chosen.deviance / free)
    # as probabilities, the statistics of fits with many and with few degrees of freedom can be compared
    evidence = -stats.f.logsf(f, df, free)
    return NullTerm(
        f=float(f[0]),
        p=float(np.mean(evidence >= evidence[0] * (1 - 1e-12))),
        shares=gained[1:] / np.square(responses[:, 1:] - responses[:, 1:].mean(axis=0)).sum(axis=0),
        coefficients=chosen.coefficients[:, 1:],
    )


def _without(problem: Problem, term: int, others: FloatArray) -> tuple[Problem, FloatArray]:
    """The model without a term and its log smoothing parameters; without the only term, the mean.

    REML smooths it whatever the method: GCV leaves too little in the residuals that are permuted, and then 7 instead of
    5 % of pure noise is called significant.
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
    """Each response's fit at the point of the grid that the criterion likes best."""
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
    """p-values adjusted so that the chance of any false alarm among them all is kept.

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

"""What matters: three measures of importance, each with an interval, a null line and how stable its ranking is.

``deviance_share``: the share of the deviance that goes unexplained without the term (the additive model).
``permutation``: how much worse the model predicts rows it has not seen once the term's columns are shuffled, as a share
of their variance (Breiman 2001, Random Forests, Machine Learning 45).
``ped_anova``: how much a column sets the best tenth of the rows apart (`space.ped_anova`); needs no model.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
from scipy import linalg
from threadpoolctl import threadpool_limits

from gamtune.analysis.columns import varies
from gamtune.gam.covariates import FloatArray
from gamtune.gam.inference import CONFIDENCE, Inference
from gamtune.gam.model import FittedGam
from gamtune.gam.penalised_fit import Problem
from gamtune.search.ped_anova import PedAnova

COLUMNS = ("measure", "name", "importance", "low", "high", "null_high", "rank", "rank_low", "rank_high", "first")
SAMPLES = 200  # bootstrap samples of the model
NULLS, NULL_SAMPLES = 100, 10  # permuted responses, and the bootstrap samples that each of them is told by
PED_SAMPLES, PED_SAMPLES_OF_MANY, MANY = 50, 20, 1000  # bootstrap samples and permutations; fewer of many rows
SEED = 2001
DIGITS = 12  # decimal places of a share


def importance(
    fitted: FittedGam | None,
    inference: Inference | None,
    rows: pd.DataFrame,
    response: str,
    columns: Sequence[str],
    log_columns: Collection[str],
) -> pd.DataFrame:
    """One line a measure and name, columns ``COLUMNS``.

    ``low`` and ``high`` hold 95 % of the bootstrap's values, ``null_high`` is what 95 % of noise stays below, the ranks
    hold 95 % of the bootstrap's, 1 the most important, and ``first`` is the share of its samples in which it was.

    Parameters
    ----------
    fitted, inference : optional
        None where there is no model: then PED-ANOVA stands alone.
    rows : data frame
        The finished rows.
    response : str
        Column with the error.
    columns : sequence of str
        Hyper-parameters and derived columns for PED-ANOVA.
    log_columns : collection of str
        Those of them that span orders of magnitude.
    """
    parts = []
    if fitted is not None and inference is not None:
        with threadpool_limits(limits=1, user_api="blas"):
            parts += _of_model(fitted, inference)
    if len(rows) > 1 and any(varies(rows[name]) for name in columns):
        parts.append(_ped_anova(rows, response, columns, log_columns))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))


def _of_model(fitted: FittedGam, inference: Inference) -> list[pd.DataFrame]:
    problem, names = fitted.problem, [term.term for term in fitted.terms]
    rng = np.random.default_rng(SEED)
    penalty = problem.solve(fitted.log_smoothing).penalty
    samples = _samples(problem.n, SAMPLES, rng)
    shares = np.array([_shares(problem, penalty, sample) for sample in samples])
    lost = np.array([_lost(problem, penalty, problem.y, sample, rng) for sample in samples])
    noise = np.array([_lost_of_noise(problem, penalty, rng) for _ in range(NULLS)])
    return [
        _told(
            "deviance_share",
            names,
            np.array([term.deviance_share for term in fitted.terms]),
            shares,
            inference.null_shares()[:, 1],
        ),
        _told("permutation", names, lost.mean(axis=0), lost, np.quantile(noise, CONFIDENCE, axis=0)),
    ]


def _samples(n: int, count: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Return bootstrap samples of n rows, each of which leaves out two or more if it can."""
    samples = list(rng.integers(n, size=(count, n)))
    for number, sample in enumerate(samples):
        while len(np.unique(sample)) > max(n - 2, 1):  # of few rows a sample may have all, and none are left to test on
            sample = rng.integers(n, size=n)
        samples[number] = sample
    return samples


def _shares(problem: Problem, penalty: FloatArray, sample: np.ndarray) -> FloatArray:
    """Deviance share of each term on a bootstrap sample, all smoothing parameters as they are."""
    x, y = problem.design[sample], problem.y[sample]
    gram, projected = x.T @ x + penalty, x.T @ y
    total = float(np.square(y - y.mean()).sum()) or 1.0
    everything = np.arange(problem.p)

    def deviance(kept: np.ndarray) -> float:
        coefficients = _solve(gram[np.ix_(kept, kept)], projected[kept])
        return float(np.square(y - x[:, kept] @ coefficients).sum())

    whole = deviance(everything)
    return np.array([deviance(np.delete(everything, np.r_[block])) - whole for block in problem.blocks]) / total


def _lost(
    problem: Problem, penalty: FloatArray, y: FloatArray, sample: np.ndarray, rng: np.random.Generator
) -> FloatArray:
    """What each term is worth to the rows that a bootstrap sample left out, as a share of their variance."""
    x = problem.design[sample]
    coefficients = _solve(x.T @ x + penalty, x.T @ y[sample])
    out = np.setdiff1d(np.arange(problem.n), sample)
    unseen, residuals = problem.design[out], y[out] - problem.design[out] @ coefficients
    order = rng.permutation(len(out))
    total = float(np.square(y[out] - y[out].mean()).sum()) or 1.0
    lost = []
    for block in problem.blocks:
        effect = unseen[:, block] @ coefficients[block]
        lost.append(np.square(residuals + effect - effect[order]).sum() - np.square(residuals).sum())
    return np.array(lost) / total


def _lost_of_noise(problem: Problem, penalty: FloatArray, rng: np.random.Generator) -> FloatArray:
    """The same of a permuted response, the mean over some samples."""
    y = rng.permutation(problem.y)
    samples = _samples(problem.n, NULL_SAMPLES, rng)
    return np.asarray(np.mean([_lost(problem, penalty, y, sample, rng) for sample in samples], axis=0))


def _solve(gram: FloatArray, projected: FloatArray) -> FloatArray:
    """Normal equations; the least solution where a sample lacks what a column needs."""
    return np.asarray(linalg.lstsq(gram, projected, check_finite=False)[0], dtype=np.float64)


def _ped_anova(rows: pd.DataFrame, response: str, columns: Sequence[str], log_columns: Collection[str]) -> pd.DataFrame:
    evaluate = PedAnova(rows, columns, log_columns)
    errors, places = rows[response].to_numpy(float), range(len(rows))
    rng = np.random.default_rng(SEED)
    count = PED_SAMPLES if len(rows) <= MANY else PED_SAMPLES_OF_MANY
    own = evaluate(places, errors.tolist())
    draws = [rng.integers(len(rows), size=len(rows)) for _ in range(count)]
    sampled = np.array([list(evaluate(draw.tolist(), errors[draw].tolist()).values()) for draw in draws])
    noise = np.array([list(evaluate(places, rng.permutation(errors).tolist()).values()) for _ in range(count)])
    return _told("ped_anova", list(own), np.array(list(own.values())), sampled, np.quantile(noise, CONFIDENCE, axis=0))


def _told(
    measure: str, names: Sequence[str], values: FloatArray, samples: FloatArray, null_high: FloatArray
) -> pd.DataFrame:
    """Interval and ranks of a measure from its bootstrap samples, (samples, names)."""
    ends = [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]
    # Differences in the last digits, which depend on the processor, must not decide the rank of terms without effect
    samples = samples.round(DIGITS)
    ranks = (-samples).argsort(axis=1, kind="stable").argsort(axis=1) + 1
    rank = (-values.round(DIGITS)).argsort(kind="stable").argsort() + 1
    low, high = np.quantile(samples, ends, axis=0)
    rank_low, rank_high = np.quantile(ranks, ends, axis=0, method="nearest")
    return pd.DataFrame(
        {
            "measure": measure, "name": list(names), "importance": values, "low": low, "high": high,
            "null_high": null_high, "rank": rank, "rank_low": rank_low.astype(int),
            "rank_high": rank_high.astype(int), "first": (ranks == 1).mean(axis=0),
        }
    )  # fmt: skip

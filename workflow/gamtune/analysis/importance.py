"""Three measures of the importance of hyperparameters, each with an interval, a null level and rank stability.

``deviance_share``: share of the deviance that the additive model does not explain without the term.
``permutation``: increase of the squared error on configurations outside a bootstrap sample if the columns of the term
are permuted, as a share of their variance (Breiman 2001, Random Forests, Machine Learning 45).
``ped_anova``: how much the values of a column in the best tenth of the configurations differ from those in all of them
(`gamtune.search.ped_anova`); this measure needs no model.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
from scipy import linalg
from threadpoolctl import threadpool_limits

from gamtune.analysis.columns import varies
from gamtune.gam.covariates import FloatArray, IntArray
from gamtune.gam.inference import CONFIDENCE, Inference
from gamtune.gam.model import FittedGam
from gamtune.gam.penalised_fit import Problem
from gamtune.results.csv_rows import Importance
from gamtune.search.ped_anova import PedAnova

SAMPLES = 200  # bootstrap samples of the model
NULLS, NULL_SAMPLES = 100, 10  # permuted responses, and bootstrap samples of each
PED_SAMPLES, PED_SAMPLES_OF_MANY, MANY = 50, 20, 1000  # bootstrap samples and permutations; fewer for more than MANY
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
    """Return the importance of every term and column.

    Parameters
    ----------
    fitted : FittedGam, optional
        The additive model. Without it, only PED-ANOVA is computed.
    inference : Inference, optional
        The tests of the model.
    rows : DataFrame
        The finished configurations.
    response : str
        Column of the metric that is compared.
    columns : sequence of str
        Hyperparameters and derived columns for PED-ANOVA.
    log_columns : collection of str
        Those of ``columns`` that are compared on a logarithmic scale.

    Returns
    -------
    DataFrame
        One line per measure and name; the columns are the attributes of `Importance`.
    """
    parts = []
    if fitted is not None and inference is not None:
        with threadpool_limits(limits=1, user_api="blas"):
            parts += _model_importance(fitted, inference)
    if len(rows) > 1 and any(varies(rows[name]) for name in columns):
        parts.append(_ped_anova(rows, response, columns, log_columns))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(Importance.columns()))


def _model_importance(fitted: FittedGam, inference: Inference) -> list[pd.DataFrame]:
    problem, names = fitted.problem, [term.term for term in fitted.terms]
    rng = np.random.default_rng(SEED)
    penalty = problem.solve(fitted.log_smoothing).penalty
    samples = _samples(problem.n, SAMPLES, rng)
    shares = np.array([_shares(problem, penalty, sample) for sample in samples])
    losses = np.array([_loss(problem, penalty, problem.y, sample, rng) for sample in samples])
    noise = np.array([_noise_loss(problem, penalty, rng) for _ in range(NULLS)])
    return [
        _ranked(
            "deviance_share",
            names,
            np.array([term.deviance_share for term in fitted.terms]),
            shares,
            inference.null_shares()[:, 1],
        ),
        _ranked("permutation", names, losses.mean(axis=0), losses, np.quantile(noise, CONFIDENCE, axis=0)),
    ]


def _samples(n: int, count: int, rng: np.random.Generator) -> list[IntArray]:
    """Return bootstrap samples of n configurations, each of which leaves out at least two if n allows it."""
    samples = list(rng.integers(n, size=(count, n)))
    for number, sample in enumerate(samples):
        while len(np.unique(sample)) > max(n - 2, 1):  # otherwise none is left to test on
            sample = rng.integers(n, size=n)
        samples[number] = sample
    return samples


def _shares(problem: Problem, penalty: FloatArray, sample: IntArray) -> FloatArray:
    """Return the deviance share of each term on a bootstrap sample, at the same smoothing parameters."""
    x, y = problem.design[sample], problem.y[sample]
    gram, projected = x.T @ x + penalty, x.T @ y
    total = float(np.square(y - y.mean()).sum()) or 1.0
    everything = np.arange(problem.p)

    def deviance(kept: IntArray) -> float:
        coefficients = _solve(gram[np.ix_(kept, kept)], projected[kept])
        return float(np.square(y - x[:, kept] @ coefficients).sum())

    total_model = deviance(everything)
    return np.array([deviance(np.delete(everything, np.r_[block])) - total_model for block in problem.blocks]) / total


def _loss(
    problem: Problem, penalty: FloatArray, y: FloatArray, sample: IntArray, rng: np.random.Generator
) -> FloatArray:
    """Return the permutation importance of each term on the configurations outside a bootstrap sample."""
    x = problem.design[sample]
    coefficients = _solve(x.T @ x + penalty, x.T @ y[sample])
    out = np.setdiff1d(np.arange(problem.n), sample)
    unseen, residuals = problem.design[out], y[out] - problem.design[out] @ coefficients
    order = rng.permutation(len(out))
    total = float(np.square(y[out] - y[out].mean()).sum()) or 1.0
    losses = []
    for block in problem.blocks:
        effect = unseen[:, block] @ coefficients[block]
        losses.append(np.square(residuals + effect - effect[order]).sum() - np.square(residuals).sum())
    return np.array(losses) / total


def _noise_loss(problem: Problem, penalty: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return the permutation importance of each term for a permuted response, as a mean over bootstrap samples."""
    y = rng.permutation(problem.y)
    samples = _samples(problem.n, NULL_SAMPLES, rng)
    return np.asarray(np.mean([_loss(problem, penalty, y, sample, rng) for sample in samples], axis=0))


def _solve(gram: FloatArray, projected: FloatArray) -> FloatArray:
    """Solve the normal equations; return the solution of least norm if a column is zero or redundant in the sample."""
    return np.asarray(linalg.lstsq(gram, projected, check_finite=False)[0], dtype=np.float64)


def _ped_anova(rows: pd.DataFrame, response: str, columns: Sequence[str], log_columns: Collection[str]) -> pd.DataFrame:
    evaluate = PedAnova(rows, columns, log_columns)
    errors, indices = rows[response].to_numpy(float), range(len(rows))
    rng = np.random.default_rng(SEED)
    count = PED_SAMPLES if len(rows) <= MANY else PED_SAMPLES_OF_MANY
    own = evaluate(indices, errors.tolist())
    draws = [rng.integers(len(rows), size=len(rows)) for _ in range(count)]
    sampled = np.array([list(evaluate(draw.tolist(), errors[draw].tolist()).values()) for draw in draws])
    noise = np.array([list(evaluate(indices, rng.permutation(errors).tolist()).values()) for _ in range(count)])
    return _ranked(
        "ped_anova", list(own), np.array(list(own.values())), sampled, np.quantile(noise, CONFIDENCE, axis=0)
    )


def _ranked(
    measure: str, names: Sequence[str], values: FloatArray, samples: FloatArray, null_high: FloatArray
) -> pd.DataFrame:
    """Return the lines of a measure with intervals and ranks from its bootstrap samples, (samples, names)."""
    ends = [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]
    # Differences in the last digits, which depend on the processor, must not decide the rank of terms without effect
    samples = samples.round(DIGITS)
    ranks = (-samples).argsort(axis=1, kind="stable").argsort(axis=1) + 1
    rank = (-values.round(DIGITS)).argsort(kind="stable").argsort() + 1
    low, high = np.quantile(samples, ends, axis=0)
    rank_low, rank_high = np.quantile(ranks, ends, axis=0, method="nearest")
    first = (ranks == 1).mean(axis=0)
    columns = (values, low, high, null_high, rank, rank_low.astype(int), rank_high.astype(int), first)
    lines = zip(names, *(column.tolist() for column in columns), strict=True)
    return pd.DataFrame([Importance(measure, *line) for line in lines])

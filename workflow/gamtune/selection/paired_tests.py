"""Paired tests of two models on the same seeds or on the same samples.

Source: Alpaydin (2020), Introduction to Machine Learning, 4th edition, chapter 20 (Design and Analysis of Machine
Learning Experiments): McNemar's test on one test set, the paired t test over replicates, blocking by seed.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
import numpy.typing as npt
from scipy import stats

CONFIDENCE = 0.95
RESAMPLES = 10_000
SEED = 1984


@dataclass(frozen=True)
class PairedT:
    """Mean difference over common seeds, 95 % interval and two-sided p-value; only the mean if there is one seed."""

    difference: float
    low: float | None = None
    high: float | None = None
    p: float | None = None


def paired_t(first: Sequence[float], second: Sequence[float]) -> PairedT:
    """Return Student's paired t test of ``first - second``.

    Parameters
    ----------
    first, second : sequence of float
        Scores of two models, in the same order of the seeds.

    Examples
    --------
    >>> round(paired_t([0.05, 0.07, 0.06], [0.03, 0.05, 0.05]).p, 4)
    0.0377
    """
    differences = [one - other for one, other in zip(first, second, strict=True)]
    mean = fmean(differences)
    if len(differences) < 2:
        return PairedT(mean)
    if len(set(differences)) == 1:  # SciPy's statistic is 0 / 0 or infinite
        return PairedT(mean, mean, mean, float(mean == 0))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Precision loss")  # differences that are equal except for rounding
        test = stats.ttest_rel(first, second)
    low, high = test.confidence_interval(CONFIDENCE)
    return PairedT(mean, float(low), float(high), float(test.pvalue))


def mean_interval(values: Sequence[float]) -> tuple[float | None, float | None]:
    """Return Student's 95 % interval of a mean; None for a single value."""
    test = paired_t(values, [0.0] * len(values))
    return test.low, test.high


def bootstrap_interval(values: Sequence[float]) -> tuple[float | None, float | None]:
    """Return the 95 % percentile bootstrap interval of a mean (Efron 1979); None for a single value."""
    if len(values) < 2:
        return None, None
    result = stats.bootstrap(
        [values], np.mean, n_resamples=RESAMPLES, confidence_level=CONFIDENCE, method="percentile", rng=SEED
    )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)


@dataclass(frozen=True)
class McNemar:
    """Numbers of samples for which only one of two classifiers is correct, and the exact two-sided p-value."""

    only_first: int
    only_second: int
    p: float


def mcnemar(first_right: npt.NDArray[np.bool_], second_right: npt.NDArray[np.bool_]) -> McNemar:
    """Return McNemar's test (1947) that two classifiers have the same accuracy on the same samples, by the binomial.

    Parameters
    ----------
    first_right, second_right : (n,) bool
        Whether each sample is classified correctly.

    Examples
    --------
    >>> mcnemar(np.array([True] * 9 + [False]), np.array([False] * 8 + [True] * 2))
    McNemar(only_first=8, only_second=1, p=0.0390625)
    """
    first, second = int((first_right & ~second_right).sum()), int((second_right & ~first_right).sum())
    p = float(stats.binomtest(first, first + second).pvalue) if first + second else 1.0
    return McNemar(first, second, p)

"""Columns that alone predict the target nearly perfectly, judged on samples that they were not fitted to."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata

from gamtune.data.cells import is_number
from gamtune.data.rows import Rows
from gamtune.data.split import Split

NEARLY_PERFECT = 0.99  # lowest score of a column that is reported
MOST_ERRORS = 0.1  # that it may make, as a share of those of the baseline
FEWEST_ERRORS = 5  # of the baseline; with fewer a perfect column may be chance
FEWEST_SAMPLES = 10  # held out
BLOCKS = 5  # of the cross-validation in the training samples
MOST_FITTED, MOST_HELD_OUT = 20_000, 10_000  # samples used, evenly spaced in the source
HELD_OUT_FOLDS = 0.2  # share of the folds
NO_GROUP = -1  # of a sample whose level does not occur among the fitted ones

Indices = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Predictor:
    """A column that predicts the target nearly perfectly.

    Attributes
    ----------
    column : str
        Its name.
    metric : str
        ``accuracy``, or ``R2 of the ranks`` of a regression's target, which does not depend on its scale.
    score, baseline : float
        On the held-out samples: of the column, and of the most frequent class or the mean rank.
    part : str
        Part that the held-out samples belong to.
    samples : int
        How many were held out.
    """

    column: str
    metric: str
    score: float
    baseline: float
    part: str
    samples: int


class _Judge(Protocol):
    """What a prediction is made of, and what it loses; the loss of no information at all is `whole`."""

    metric: str
    targets: npt.NDArray[Any]

    def summary(self, groups: Indices, targets: npt.NDArray[Any]) -> npt.NDArray[Any]: ...
    def loss(self, predicted: npt.NDArray[Any], targets: npt.NDArray[Any]) -> float: ...
    def whole(self, samples: Indices) -> float: ...


@dataclass
class _Classes:
    """The most frequent class; the loss is the number of errors."""

    targets: npt.NDArray[Any]
    metric: str = "accuracy"

    def summary(self, groups: Indices, targets: npt.NDArray[Any]) -> npt.NDArray[Any]:
        classes = int(targets.max()) + 1
        pairs, counts = np.unique(groups * classes + targets, return_counts=True)
        order = np.lexsort((counts, pairs // classes))  # the most frequent class of a group is its last
        of_group = pairs[order] // classes
        last = np.append(of_group[1:] != of_group[:-1], True)
        most_frequent: npt.NDArray[Any] = pairs[order][last] % classes
        return most_frequent

    def loss(self, predicted: npt.NDArray[Any], targets: npt.NDArray[Any]) -> float:
        return float((predicted != targets).sum())

    def whole(self, samples: Indices) -> float:
        return len(samples)


@dataclass
class _Ranks:
    """The mean rank; the loss is the sum of squared errors."""

    targets: npt.NDArray[Any]
    metric: str = "R2 of the ranks"

    def summary(self, groups: Indices, targets: npt.NDArray[Any]) -> npt.NDArray[Any]:
        means: npt.NDArray[Any] = np.bincount(groups, targets) / np.bincount(groups)
        return means

    def loss(self, predicted: npt.NDArray[Any], targets: npt.NDArray[Any]) -> float:
        return float(np.square(predicted - targets).sum())

    def whole(self, samples: Indices) -> float:
        ranks = self.targets[samples]
        return self.loss(ranks.mean(), ranks)


def predictors(rows: Rows, split: Split) -> Iterator[Predictor]:
    """Yield the columns that alone predict the target nearly perfectly.

    The prediction for a held-out sample is the most frequent class, or the mean rank, of the training samples with
    the same level or with the nearest number. Samples are held out as the study holds them out, so that groups stay
    together and an identifier has no level in common with the training samples. Test samples are used only if
    there are no others. A column that passes must also predict the training samples by cross-validation: of a few
    held-out samples a merely good column predicts all by chance.
    """
    part, held_out = _held_out(split)
    fitted = _thinned(np.flatnonzero((split.parts == "train") & ~held_out), MOST_FITTED)
    judged = _thinned(np.flatnonzero(held_out), MOST_HELD_OUT)
    judge = _Ranks(rankdata(rows.target)) if rows.classes is None else _Classes(rows.target)
    baseline, whole = _lost(judge, pd.Series(np.zeros(len(rows.target))), fitted, judged), judge.whole(judged)
    if baseline < FEWEST_ERRORS or len(judged) < FEWEST_SAMPLES:
        return
    blocks = np.array_split(np.random.default_rng(1).permutation(fitted), BLOCKS)
    for name in rows.features:
        column = rows.features[name]
        lost = _lost(judge, column, fitted, judged)
        if lost > (1 - NEARLY_PERFECT) * whole or lost > MOST_ERRORS * baseline:
            continue
        lost_in_training = sum(_lost(judge, column, np.setdiff1d(fitted, block), block) for block in blocks)
        if lost_in_training <= (1 - NEARLY_PERFECT) * judge.whole(fitted):
            yield Predictor(
                str(name), judge.metric, 1 - lost / whole, max(0.0, 1 - baseline / whole), part, len(judged)
            )


def _held_out(split: Split) -> tuple[str, npt.NDArray[np.bool_]]:
    """Return which samples are held out, and the name of their part."""
    if split.folds is not None:
        return "validation", (split.folds > 0) & (split.folds <= max(1, HELD_OUT_FOLDS * split.folds.max()))
    part = "validation" if (split.parts == "validation").any() else "test"
    return part, split.parts == part


def _thinned(samples: Indices, most: int) -> Indices:
    """Return at most so many of the samples, evenly spaced."""
    return samples[np.linspace(0, len(samples) - 1, min(len(samples), most)).astype(np.intp)]


def _groups(column: "pd.Series[Any]", fitted: Indices, judged: Indices) -> tuple[Indices, Indices]:
    """Return the group of each fitted sample, from 0, and the group that each held-out sample is matched with.

    Groups are the distinct values. An unknown level has no group, an unknown number has the group of the nearest.
    """
    if not is_number(column):
        codes, _ = pd.factorize(column.iloc[np.concatenate([fitted, judged])], use_na_sentinel=False)
        groups, matched = codes[: len(fitted)], codes[len(fitted) :]
        return groups, np.where(matched <= groups.max(), matched, NO_GROUP)
    numbers = column.to_numpy(dtype=float)
    distinct, groups = np.unique(numbers[fitted], return_inverse=True)
    values, wanted = distinct[~np.isnan(distinct)], numbers[judged]
    gaps = len(values) if len(values) < len(distinct) else NO_GROUP  # NaN is sorted last
    if len(values) == 0:
        return groups, np.where(np.isnan(wanted), gaps, NO_GROUP)
    right = np.clip(np.searchsorted(values, wanted), 1 if len(values) > 1 else 0, len(values) - 1)
    left = np.maximum(right - 1, 0)
    nearest = np.where(wanted - values[left] <= values[right] - wanted, left, right)
    return groups, np.where(np.isnan(wanted), gaps, nearest)


def _lost(judge: _Judge, column: "pd.Series[Any]", fitted: Indices, judged: Indices) -> float:
    """Return the loss of some samples when the column is fitted to others."""
    targets = judge.targets[fitted]
    groups, matched = _groups(column, fitted, judged)
    usual = judge.summary(np.zeros(len(fitted), np.intp), targets)
    predicted = np.append(judge.summary(groups, targets), usual)[matched]  # NO_GROUP is the last
    return judge.loss(predicted, judge.targets[judged])

"""Find single columns that predict the target nearly perfectly on held-out samples."""

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

NEARLY_PERFECT = 0.99  # smallest score of a reported column
MOST_ERRORS = 0.1  # largest loss of a reported column, as a fraction of the loss of the baseline
FEWEST_ERRORS = 5  # smallest loss of the baseline; below it, a perfect column may be due to chance
FEWEST_SAMPLES = 10  # smallest number of held-out samples
BLOCKS = 5  # folds of the cross-validation within the training samples
MOST_FITTED, MOST_HELD_OUT = 20_000, 10_000  # largest numbers of samples used, evenly spaced in the source
HELD_OUT_FOLDS = 0.2  # fraction of the folds that are held out
NO_GROUP = -1  # group of a sample with a level that does not occur in the fitted samples

Indices = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Predictor:
    """A column that predicts the target nearly perfectly.

    Attributes
    ----------
    column : str
        Name of the column.
    metric : str
        ``accuracy``, or ``R2 of the ranks`` of the target of a regression, which does not depend on its scale.
    score, baseline : float
        Score on the held-out samples of the column, and of the most frequent class or the mean rank.
    part : str
        Part of the held-out samples.
    samples : int
        Number of held-out samples.
    """

    column: str
    metric: str
    score: float
    baseline: float
    part: str
    samples: int


class _Criterion(Protocol):
    """The prediction for a group of samples and its loss; `total_loss` is the loss at a score of 0."""

    metric: str
    targets: npt.NDArray[Any]

    def summary(self, groups: Indices, targets: npt.NDArray[Any]) -> npt.NDArray[Any]: ...
    def loss(self, predicted: npt.NDArray[Any], targets: npt.NDArray[Any]) -> float: ...
    def total_loss(self, samples: Indices) -> float: ...


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

    def total_loss(self, samples: Indices) -> float:
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

    def total_loss(self, samples: Indices) -> float:
        ranks = self.targets[samples]
        return self.loss(ranks.mean(), ranks)


def predictors(rows: Rows, split: Split) -> Iterator[Predictor]:
    """Yield the columns that alone predict the target nearly perfectly.

    The prediction for a held-out sample is the most frequent class, or the mean rank, of the training samples with
    the same level or with the nearest number. The held-out samples are the validation samples of the study, so that
    groups stay together and an identifier has no level in common with the training samples; test samples are used only
    if there are no validation samples. A column must also predict the training samples in a cross-validation, because
    a good column may predict a small number of held-out samples perfectly by chance.
    """
    part, held_out = _held_out(split)
    fitted = _thinned(np.flatnonzero((split.parts == "train") & ~held_out), MOST_FITTED)
    held_out_samples = _thinned(np.flatnonzero(held_out), MOST_HELD_OUT)
    criterion = _Ranks(rankdata(rows.target)) if rows.classes is None else _Classes(rows.target)
    baseline, total = (
        _lost(criterion, pd.Series(np.zeros(len(rows.target))), fitted, held_out_samples),
        criterion.total_loss(held_out_samples),
    )
    if baseline < FEWEST_ERRORS or len(held_out_samples) < FEWEST_SAMPLES:
        return
    blocks = np.array_split(np.random.default_rng(1).permutation(fitted), BLOCKS)
    for name in rows.features:
        column = rows.features[name]
        lost = _lost(criterion, column, fitted, held_out_samples)
        if lost > (1 - NEARLY_PERFECT) * total or lost > MOST_ERRORS * baseline:
            continue
        lost_in_training = sum(_lost(criterion, column, np.setdiff1d(fitted, block), block) for block in blocks)
        if lost_in_training <= (1 - NEARLY_PERFECT) * criterion.total_loss(fitted):
            yield Predictor(
                str(name),
                criterion.metric,
                1 - lost / total,
                max(0.0, 1 - baseline / total),
                part,
                len(held_out_samples),
            )


def _held_out(split: Split) -> tuple[str, npt.NDArray[np.bool_]]:
    """Return which samples are held out, and the name of their part."""
    if split.folds is not None:
        return "validation", (split.folds > 0) & (split.folds <= max(1, HELD_OUT_FOLDS * split.folds.max()))
    part = "validation" if (split.parts == "validation").any() else "test"
    return part, split.parts == part


def _thinned(samples: Indices, most: int) -> Indices:
    """Return at most ``most`` of the samples, evenly spaced."""
    return samples[np.linspace(0, len(samples) - 1, min(len(samples), most)).astype(np.intp)]


def _groups(column: "pd.Series[Any]", fitted: Indices, held_out_samples: Indices) -> tuple[Indices, Indices]:
    """Return the group of each fitted sample, from 0, and the matching group of each held-out sample.

    Samples with equal values are a group. An unseen number matches the group of the nearest number; an unseen level
    matches no group.
    """
    if not is_number(column):
        codes, _ = pd.factorize(column.iloc[np.concatenate([fitted, held_out_samples])], use_na_sentinel=False)
        groups, matched = codes[: len(fitted)], codes[len(fitted) :]
        return groups, np.where(matched <= groups.max(), matched, NO_GROUP)
    numbers = column.to_numpy(dtype=float)
    distinct, groups = np.unique(numbers[fitted], return_inverse=True)
    values, wanted = distinct[~np.isnan(distinct)], numbers[held_out_samples]
    gaps = len(values) if len(values) < len(distinct) else NO_GROUP  # NaN is sorted last
    if len(values) == 0:
        return groups, np.where(np.isnan(wanted), gaps, NO_GROUP)
    right = np.clip(np.searchsorted(values, wanted), 1 if len(values) > 1 else 0, len(values) - 1)
    left = np.maximum(right - 1, 0)
    nearest = np.where(wanted - values[left] <= values[right] - wanted, left, right)
    return groups, np.where(np.isnan(wanted), gaps, nearest)


def _lost(criterion: _Criterion, column: "pd.Series[Any]", fitted: Indices, held_out_samples: Indices) -> float:
    """Return the loss on the held-out samples of a column fitted to other samples."""
    targets = criterion.targets[fitted]
    groups, matched = _groups(column, fitted, held_out_samples)
    usual = criterion.summary(np.zeros(len(fitted), np.intp), targets)
    predicted = np.append(criterion.summary(groups, targets), usual)[matched]  # NO_GROUP is the last
    return criterion.loss(predicted, criterion.targets[held_out_samples])

"""Leak checks after the split: exact duplicates across parts, and single columns that predict the target.

A leak biases all scores without causing an error, so each finding is a warning with counts and advice.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.util import hash_pandas_object

from gamtune.data.rows import Rows
from gamtune.data.single_column import Predictor, predictors
from gamtune.data.split import Split
from gamtune.numbers import significant
from gamtune.results.data_warnings import DataWarning
from gamtune.tables.identifiers import FEWEST

MOST_COLUMNS = 5  # columns with a separate warning; the others share one
PAIRS = (("test", "train"), ("validation", "train"), ("test", "validation"))
WHERE = {"train": "the training part", "validation": "the validation part"}

Hashes = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]


def find_leaks(rows: Rows, split: Split) -> list[DataWarning]:
    """Return the warnings about a split.

    Parameters
    ----------
    rows : Rows
        All samples.
    split : Split
        Parts, and folds of a cross-validation, of the samples.
    """
    return [*_single_columns(rows, split), *_duplicates(rows, split), *_counters(rows)]


def _counters(rows: Rows) -> Iterator[DataWarning]:
    """Warn about columns of consecutive numbers, such as an index."""
    for use in rows.columns:
        if use.use != "input" or use.kind != "number" or use.distinct < max(len(rows.target), FEWEST):
            continue
        numbers = np.sort(rows.features[use.name].to_numpy(float))
        if (np.diff(numbers) == 1).all():
            message = f"column {use.name!r} numbers the samples from {numbers[0]:.15g} to {numbers[-1]:.15g}"
            yield DataWarning("identifier", f"{message}; if it only identifies them, list it in data.drop")


def _single_columns(rows: Rows, split: Split) -> Iterator[DataWarning]:
    """Warn about columns that predict the target nearly perfectly."""
    found = sorted(predictors(rows, split), key=lambda predictor: -predictor.score)
    for predictor in found[:MOST_COLUMNS]:
        yield DataWarning("single_column", _described(predictor, rows.target_name), vars(predictor))
    others = [repr(predictor.column) for predictor in found[MOST_COLUMNS:]]
    if others:
        names = ", ".join(others[:MOST_COLUMNS]) + (", ..." if len(others) > MOST_COLUMNS else "")
        message = f"{len(others)} more columns each predict {rows.target_name!r} nearly perfectly: {names}"
        yield DataWarning("single_column", message, {"count": len(others)})


def _described(predictor: Predictor, target: str) -> str:
    score = f"{predictor.metric} {significant(predictor.score)} on {predictor.samples:,} {predictor.part} samples"
    baseline = f"{significant(predictor.baseline)} without any column"
    advice = "if it is not known before the target, list it in data.drop"
    return f"column {predictor.column!r} alone predicts {target!r} ({score}, {baseline}); {advice}"


def _duplicates(rows: Rows, split: Split) -> Iterator[DataWarning]:
    """Warn about samples whose inputs also occur in another part or fold."""
    inputs = _hashes(rows.features)
    samples = _hashes(pd.DataFrame({"inputs": inputs, "target": rows.target}))
    advice = "remove the duplicates" if rows.groups is not None else "declare data.group or remove the duplicates"
    for part, other in PAIRS:
        sought, others = split.parts == part, split.parts == other
        found, same = (np.isin(hashes[sought], hashes[others]) for hashes in (inputs, samples))
        yield from _overlap(found, same, part, WHERE[other], advice)
    if split.folds is not None:
        in_folds = split.folds > 0
        found, same = (_in_several(hashes[in_folds], split.folds[in_folds]) for hashes in (inputs, samples))
        yield from _overlap(found, same, "training", "another fold", advice)


def _overlap(found: Mask, same: Mask, part: str, where: str, advice: str) -> Iterator[DataWarning]:
    """Warn if there are duplicates; ``same`` marks those that also have the same target."""
    count, agreeing = int(found.sum()), int(same.sum())
    if count:
        targets = "all" if agreeing == count else f"{agreeing:,}" if agreeing else "none"
        share = f"{count:,} of {len(found):,} {part} samples have an exact duplicate in {where}"
        details: dict[str, int | float | str] = {
            "part": part,
            "where": where,
            "count": count,
            "samples": len(found),
            "same_target": agreeing,
        }
        yield DataWarning("duplicates", f"{share} ({targets} with the same target); {advice}", details)


def _hashes(table: pd.DataFrame) -> Hashes:
    """Return a 64-bit hash per sample: equal samples have equal hashes, and -0.0 equals 0.0."""
    numbers = table.select_dtypes("number")
    others = table.drop(columns=numbers.columns)
    return hash_pandas_object(pd.concat([numbers + 0, others], axis=1), index=False).to_numpy().astype(np.uint64)


def _in_several(hashes: Hashes, folds: npt.NDArray[np.int32]) -> Mask:
    """Return which samples have a hash that occurs in more than one fold."""
    by_hash = pd.Series(folds).groupby(hashes)
    return (by_hash.transform("min") != by_hash.transform("max")).to_numpy()

"""The step `data`: from the source to arrays on disk, their split, their preprocessing and their digest."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gamtune.config.data_section import Data
from gamtune.data.column_use import write_columns
from gamtune.data.intact import array_fingerprint
from gamtune.data.leaks import find_leaks
from gamtune.data.preprocessing import Preprocessing
from gamtune.data.rows import Rows
from gamtune.data.sources import read_rows
from gamtune.data.split import Split, Words, split_rows
from gamtune.files import replacing
from gamtune.results.artefacts import write_artefact
from gamtune.results.data_warnings import DataWarning, DataWarnings
from gamtune.results.dataset import DatasetInfo
from gamtune.results.layout import DataFolder
from gamtune.results.record import PARTS

Mask = npt.NDArray[np.bool_]


def prepare(data: Data, folder: Path) -> list[DataWarning]:
    """Write x_*.npy, y_*.npy, split.csv and preprocessing.json, and last digest.json, which vouches for the arrays.

    With folds, each has its arrays, preprocessing and digest in a folder of its own, and the digest.json above them
    says what they have in common. How the columns were interpreted is written to columns.csv; the warnings about the
    data are written to warnings.json and returned.

    Raises
    ------
    InputError
        If the source or the split cannot be used; nothing is written then.
    """
    examined = examine(data)  # all that can fail comes first
    rows, split, fitted, warnings = examined.rows, examined.split, examined.fitted, examined.warnings
    place = DataFolder(folder)
    folds = range(1, len(fitted) + 1) if split.folds is not None else range(0)
    write_artefact(_split_table(rows, split), place.split)
    write_columns(rows.columns, place.columns)
    DataWarnings(warnings=warnings).write(place.warnings)
    if not folds:
        _write_set(rows, _chosen(split.parts, data), fitted[0], data.selection, place)
        return warnings
    digests = [
        _write_set(rows, _chosen(split.of_fold(fold), data), preprocessing, data.selection, place.fold(fold))
        for fold, preprocessing in zip(folds, fitted, strict=True)
    ]
    common = _info(rows, _chosen(split.parts, data), fitted[0], data.selection, digests)
    replace(common, folds=len(folds)).write(place.info)
    return warnings


@dataclass(frozen=True)
class Examined:
    """A data set that can be prepared: its samples, parts, warnings, and one preprocessing per fold."""

    rows: Rows
    split: Split
    fitted: list[Preprocessing]
    warnings: list[DataWarning]


def examine(data: Data) -> Examined:
    """Read the source and split it, without writing anything.

    Raises
    ------
    InputError
        If the source or the split cannot be used.
    """
    rows = read_rows(data)
    split = split_rows(data, rows)
    folds = range(1, (data.validation.folds or 0) + 1)
    training = [split.of_fold(fold) == "train" for fold in folds] or [split.parts == "train"]
    fitted = [_fitted(rows, chosen, data) for chosen in training]
    return Examined(rows, split, fitted, find_leaks(rows, split))


def prepare_whole(data: Data, folder: Path) -> None:
    """Write the same files for a training on all rows but the test's; its validation rows are those it learns from.

    Raises
    ------
    InputError
        If the source or the split cannot be used; nothing is written then.
    """
    rows = read_rows(data)
    test = split_rows(data, rows).parts == "test"
    chosen = {"train": ~test, "validation": ~test, "test": test}
    _write_set(rows, chosen, _fitted(rows, ~test, data), data.selection, DataFolder(folder))


def _fitted(rows: Rows, training: Mask, data: Data) -> Preprocessing:
    """Fit the preprocessing to the training rows and check that it can be applied to all rows."""
    preprocessing = Preprocessing.fit(rows, training, data.whiten)
    preprocessing.check(rows.features, rows.place)
    preprocessing.check_target(rows)
    return preprocessing


def _chosen(parts: Words, data: Data) -> dict[str, Mask]:
    """The rows of each part of a data set."""
    chosen = {part: parts == part for part in PARTS}
    return chosen | {"validation": chosen["test"]} if data.selection == "test" else chosen


def _write_set(
    rows: Rows, chosen: Mapping[str, Mask], preprocessing: Preprocessing, selection: str, folder: DataFolder
) -> str:
    """Write one data set as the trainings read it, and give its digest."""
    hashes = {}
    for part, mask in chosen.items():
        for axis, array in (("x", preprocessing.apply(rows.features.loc[mask])), ("y", rows.target[mask])):
            hashes[folder.array(axis, part).stem] = array_fingerprint(array)
            with replacing(folder.array(axis, part)) as path, path.open("wb") as file:
                np.save(file, array)
    preprocessing.write(folder.preprocessing)
    info = replace(_info(rows, chosen, preprocessing, selection, hashes), arrays=hashes)
    info.write(folder.info)
    return info.digest


def _info(
    rows: Rows, chosen: Mapping[str, Mask], preprocessing: Preprocessing, selection: str, content: Any
) -> DatasetInfo:
    """Return the description of a data set; the fingerprints of its arrays or folds determine its own."""
    return DatasetInfo(
        task=rows.task,
        inputs=preprocessing.inputs,
        classes=rows.classes,
        target_mean=preprocessing.target_mean,
        target_sd=preprocessing.target_sd,
        selection=selection,
        rows={part: int(mask.sum()) for part, mask in chosen.items()},
        digest=hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest(),
    )


def _split_table(rows: Rows, split: Split) -> pd.DataFrame:
    """Each row's part, in the order of the source; its fold, class and group where there are any."""
    columns: dict[str, Any] = {"row": np.arange(1, len(split.parts) + 1), "part": split.parts}
    if split.folds is not None:
        columns["fold"] = split.folds
    if rows.classes is not None:
        columns["class"] = rows.target
    if rows.groups is not None:
        columns["group"] = rows.groups.to_numpy()
    return pd.DataFrame(columns)

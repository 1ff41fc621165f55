"""The step `data`: read the source, split and preprocess the samples, and write the arrays and their fingerprints."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gamtune.config.data_section import Data, SelectedOn
from gamtune.data.downloads import fetch
from gamtune.data.intact import array_fingerprint
from gamtune.data.leaks import find_leaks
from gamtune.data.preprocessing import Preprocessing
from gamtune.data.public import PUBLIC, read_public
from gamtune.data.rows import Rows, class_indices
from gamtune.data.split import Split, Words, split_rows
from gamtune.data.table_file import read_table
from gamtune.files import replacing
from gamtune.results.artefacts import write_artefact
from gamtune.results.csv_rows import ColumnUse
from gamtune.results.data_warnings import DataWarning, DataWarnings
from gamtune.results.dataset import DatasetInfo
from gamtune.results.layout import DataFolder
from gamtune.results.record import PARTS

Mask = npt.NDArray[np.bool_]


def prepare(data: Data, folder: Path, selected_on: SelectedOn = "validation") -> list[DataWarning]:
    """Write the arrays x_*.npy and y_*.npy, split.csv, preprocessing.json, columns.csv, warnings.json and dataset.json.

    dataset.json contains the fingerprints of the arrays and is written last. With cross-validation, the arrays, the
    preprocessing and the fingerprints of each fold are in a separate folder, and the dataset.json in the parent folder
    describes what all folds have in common.

    Parameters
    ----------
    data : Data
        The section `data` of the config.
    folder : Path
        Folder for the files.
    selected_on : {"validation", "test"}
        Value of the key ``selection.on``. If it is ``test``, no validation samples are drawn, and the
        validation part equals the test part.

    Returns
    -------
    list of DataWarning
        Warnings about the data, as in warnings.json.

    Raises
    ------
    InputError
        If the source or the split cannot be used; nothing is written then.
    """
    examined = examine(data, selected_on)  # before any file is written, since it may raise an error
    rows, split, fitted, warnings = examined.rows, examined.split, examined.fitted, examined.warnings
    files = DataFolder(folder)
    folds = range(1, len(fitted) + 1) if split.folds is not None else range(0)
    write_artefact(_split_table(rows, split), files.split)
    ColumnUse.write(rows.columns, files.columns)
    DataWarnings(warnings=warnings).write(files.warnings)
    if not folds:
        _write_set(rows, _masks(split.parts, selected_on), fitted[0], selected_on, files)
        return warnings
    fingerprints = [
        _write_set(rows, _masks(split.of_fold(fold), selected_on), preprocessing, selected_on, files.fold(fold))
        for fold, preprocessing in zip(folds, fitted, strict=True)
    ]
    common = _info(rows, _masks(split.parts, selected_on), fitted[0], selected_on, fingerprints)
    replace(common, folds=len(folds)).write(files.info)
    return warnings


@dataclass(frozen=True)
class Examined:
    """A validated data set: its samples, parts and warnings, and one fitted preprocessing per fold."""

    rows: Rows
    split: Split
    fitted: list[Preprocessing]
    warnings: list[DataWarning]


def examine(data: Data, selected_on: SelectedOn = "validation") -> Examined:
    """Read and split the source without writing files.

    Raises
    ------
    InputError
        If the source or the split cannot be used.
    """
    rows = read_rows(data)
    split = split_rows(data, rows, selected_on)
    folds = range(1, (data.validation.folds or 0) + 1)
    training = [split.of_fold(fold) == "train" for fold in folds] or [split.parts == "train"]
    fitted = [_fitted(rows, mask, data) for mask in training]
    return Examined(rows, split, fitted, find_leaks(rows, split))


def read_rows(data: Data) -> Rows:
    """Read the samples of the source in the config.

    Raises
    ------
    InputError
        If the source cannot be read or is not valid; the message names file, row and column.
    """
    if data.source in PUBLIC:
        return read_public(data.source, fetch(PUBLIC[data.source], data.mirror))
    if data.source == "table":
        return read_table(data)
    from sklearn.datasets import load_digits  # imported here because only this source needs it

    bunch = load_digits(as_frame=True)
    indices, classes = class_indices(bunch.target)
    return Rows(bunch.data, indices, "target", classes)


def prepare_refit(data: Data, folder: Path, selected_on: SelectedOn = "validation") -> None:
    """Write the arrays for a refit on all samples except the test samples.

    The validation part of this data set equals its training part.

    Raises
    ------
    InputError
        If the source or the split cannot be used; nothing is written then.
    """
    rows = read_rows(data)
    test = split_rows(data, rows, selected_on).parts == "test"
    masks = {"train": ~test, "validation": ~test, "test": test}
    _write_set(rows, masks, _fitted(rows, ~test, data), selected_on, DataFolder(folder))


def _fitted(rows: Rows, training: Mask, data: Data) -> Preprocessing:
    """Fit the preprocessing to the training samples and check that it can be applied to all samples."""
    preprocessing = Preprocessing.fit(rows, training, data.whiten)
    preprocessing.check(rows.features, rows.place)
    preprocessing.check_target(rows)
    return preprocessing


def _masks(parts: Words, selected_on: SelectedOn) -> dict[str, Mask]:
    """Return a mask of the samples of each part."""
    masks = {part: parts == part for part in PARTS}
    return masks | {"validation": masks["test"]} if selected_on == "test" else masks


def _write_set(
    rows: Rows, masks: Mapping[str, Mask], preprocessing: Preprocessing, selected_on: SelectedOn, folder: DataFolder
) -> str:
    """Write the files of one data set and return its fingerprint."""
    hashes = {}
    for part, mask in masks.items():
        for axis, array in (("x", preprocessing.apply(rows.features.loc[mask])), ("y", rows.target[mask])):
            hashes[folder.array(axis, part).stem] = array_fingerprint(array)
            with replacing(folder.array(axis, part)) as path, path.open("wb") as file:
                np.save(file, array)
    preprocessing.write(folder.preprocessing)
    info = replace(_info(rows, masks, preprocessing, selected_on, hashes), arrays=hashes)
    info.write(folder.info)
    return info.fingerprint


def _info(
    rows: Rows, masks: Mapping[str, Mask], preprocessing: Preprocessing, selected_on: SelectedOn, content: Any
) -> DatasetInfo:
    """Return the description of a data set; its fingerprint is the hash of those of its arrays or folds."""
    return DatasetInfo(
        task=rows.task,
        inputs=preprocessing.inputs,
        classes=rows.classes,
        target_mean=preprocessing.target_mean,
        target_sd=preprocessing.target_sd,
        selected_on=selected_on,
        rows={part: int(mask.sum()) for part, mask in masks.items()},
        fingerprint=hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest(),
    )


def _split_table(rows: Rows, split: Split) -> pd.DataFrame:
    """Return the part of each sample in the order of the source, with its fold, class and group if it has them."""
    columns: dict[str, Any] = {"row": np.arange(1, len(split.parts) + 1), "part": split.parts}
    if split.folds is not None:
        columns["fold"] = split.folds
    if rows.classes is not None:
        columns["class"] = rows.target
    if rows.groups is not None:
        columns["group"] = rows.groups.to_numpy()
    return pd.DataFrame(columns)

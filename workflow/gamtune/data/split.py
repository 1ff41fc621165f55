"""Assign samples to training, validation and test, at random or as defined by the source."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    train_test_split,
)

from gamtune.config.data_section import Data, HeldOut, SelectedOn, Validation
from gamtune.data.rows import Rows
from gamtune.errors import InputError
from gamtune.results.record import PARTS

Words = npt.NDArray[np.str_]
Indices = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Split:
    """The part of each sample.

    Attributes
    ----------
    parts : (n,) str
        ``train``, ``validation`` or ``test``. With cross-validation, all samples except the test samples are ``train``.
    folds : (n,) int, optional
        Number of the fold in which a sample is used for validation, from 1; 0 for test samples.
    """

    parts: Words
    folds: npt.NDArray[np.int32] | None = None

    def of_fold(self, number: int) -> Words:
        """Return the part of each sample in one fold of the cross-validation."""
        assert self.folds is not None
        return np.where(self.folds == number, "validation", self.parts)


def split_rows(data: Data, rows: Rows, selected_on: SelectedOn = "validation") -> Split:
    """Assign each sample to a part.

    Parameters
    ----------
    data : Data
        The section `data`, which defines the split and its seed.
    rows : Rows
        The samples, some of which may have a part already.
    selected_on : {"validation", "test"}
        Value of the key ``selection.on``. If it is ``test``, no validation samples are drawn.

    Returns
    -------
    Split
        The part of each sample, and its fold in a cross-validation.

    Raises
    ------
    InputError
        If a part is empty, or a class is missing in a part that needs it.
    """
    parts = np.full(len(rows.target), "", dtype="<U10") if rows.parts is None else rows.parts.astype("<U10")
    rest = np.flatnonzero(parts == "")
    drawn: dict[str, HeldOut] = {}
    if not data.has_test and data.test.column is None:
        drawn["test"] = data.test
    if data.draws_validation(selected_on) and data.validation.column is None:
        drawn["validation"] = data.validation
    _check_classes(rows, rest, drawn)
    sizes = {name: _size(name, held_out, rest, rows) for name, held_out in drawn.items()}
    folds = None
    for name, held_out in drawn.items():
        if held_out is data.validation and data.validation.folds is not None:
            folds = np.zeros(len(parts), np.int32)
            folds[rest] = _folds(data.validation, rest, data.seed, rows)
        else:
            rest, taken = _draw(name, held_out, sizes[name], rest, data.seed, rows)
            parts[taken] = name
    parts[parts == ""] = "train"
    split = Split(parts, folds)
    required = [part for part in PARTS if part != "validation" or selected_on != "test"]
    for fold in range(1, (data.validation.folds or 0) + 1):
        _check_parts(rows, split.of_fold(fold), required, f"data.validation.folds: fold {fold}: ")
    if folds is None:
        _check_parts(rows, parts, required, "data: ")
    return split


def _check_classes(rows: Rows, rest: Indices, drawn: dict[str, HeldOut]) -> None:
    """Check that each class has at least one sample per part if the split is stratified."""
    if rows.classes is None or rows.groups is not None or not any(held_out.stratify for held_out in drawn.values()):
        return
    sizes = np.bincount(rows.target[rest], minlength=len(rows.classes))
    if sizes.min() < 1 + len(drawn):
        found = f"class {rows.classes[sizes.argmin()]!r} has {sizes.min()} of the {len(rest)} samples"
        hint = "; is data.task regression?" if isinstance(rows.classes[0], int | float) else ""
        raise InputError([f"data.target: {found}, expected at least {1 + len(drawn)}, one per part{hint}"])


def _size(name: str, held_out: HeldOut, rest: Indices, rows: Rows) -> int:
    """Return the number of samples, or of groups, of a part that is drawn from ``rest``."""
    if rows.groups is None:
        return max(1, round((held_out.drawn_fraction or 0) * len(rest)))
    groups = rows.groups.iloc[rest].nunique()
    size = held_out.groups or max(1, round((held_out.drawn_fraction or 0) * groups))
    if size >= groups:
        column = rows.groups.name
        raise InputError(
            [f"data.{name}: holds out {size} of {groups} groups of {column!r}, so that no training samples are left"]
        )
    return size


def _draw(name: str, held_out: HeldOut, size: int, rest: Indices, seed: int, rows: Rows) -> tuple[Indices, Indices]:
    """Return the samples that remain and the samples that are held out."""
    if rows.groups is not None:
        groups = rows.groups.iloc[rest]
        splitter = GroupShuffleSplit(1, test_size=size, random_state=seed)
        try:
            stay, taken = next(splitter.split(rest, groups=groups))
        except ValueError:
            found = f"holds out {size} of the {groups.nunique()} remaining groups of {groups.name!r}"
            raise InputError([f"data.{name}: {found}, so that no training samples are left"]) from None
        return rest[stay], rest[taken]
    stratify = rows.target[rest] if held_out.stratify and rows.classes is not None else None
    try:
        stay, taken = train_test_split(rest, test_size=size, random_state=seed, stratify=stratify)
    except ValueError as error:
        raise InputError([f"data.{name}: cannot hold out {size} of {len(rows.target)} samples: {error}"]) from None
    return stay, taken


def _folds(validation: Validation, rest: Indices, seed: int, rows: Rows) -> npt.NDArray[np.int32]:
    """Return the fold of each sample in ``rest``, from 1."""
    folds = int(validation.folds or 0)
    stratified = validation.stratify and rows.classes is not None
    splitters = {
        (False, False): KFold, (True, False): StratifiedKFold,
        (False, True): GroupKFold, (True, True): StratifiedGroupKFold,
    }  # fmt: skip
    splitter = splitters[stratified, rows.groups is not None](folds, shuffle=True, random_state=seed)
    numbers = np.zeros(len(rest), np.int32)
    groups = None if rows.groups is None else rows.groups.iloc[rest]
    try:
        for number, (_, taken) in enumerate(splitter.split(rest, rows.target[rest], groups), start=1):
            numbers[taken] = number
    except ValueError as error:
        raise InputError([f"data.validation.folds: {error}"]) from None
    return numbers


def _check_parts(rows: Rows, parts: Words, required: Sequence[str], where: str) -> None:
    """Check that no required part is empty and that the training samples contain every class."""
    for part in required:
        if not (parts == part).any():
            raise InputError([f"{where}no samples are left for {part}"])
    if rows.groups is not None:
        _check_groups(rows.groups, parts, where)
    training = rows.target[parts == "train"]
    if rows.classes is None:
        if training.min() == training.max():
            raise InputError([f"{where}the target {rows.target_name!r} has the same value in all training samples"])
        return
    absent = np.flatnonzero(np.bincount(training, minlength=len(rows.classes)) == 0)
    if len(absent):
        name, total = rows.classes[absent[0]], int((rows.target == absent[0]).sum())
        raise InputError([f"{where}class {name!r} of {rows.target_name!r} has {total} samples, none of them in train"])


def _check_groups(groups: "pd.Series[Any]", parts: Words, where: str) -> None:
    """Check that files or a split column do not assign samples of one group to different parts."""
    found = pd.crosstab(groups.to_numpy(), parts) > 0
    divided = found[found.sum(axis=1) > 1]
    if len(divided):
        first, second = divided.columns[divided.iloc[0]][:2]
        group = f"group {str(divided.index[0])!r} of {groups.name!r}"
        raise InputError(
            [f"{where}{group} has samples in {first} and in {second}; put all samples of a group into one part"]
        )

"""The step `data`: from the source to arrays on disk, their split, their preprocessing and their digest."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gamtune.config.data_section import Data
from gamtune.data.arrays import PARTS, fold_folder
from gamtune.data.preprocessing import Preprocessing
from gamtune.data.rows import Rows
from gamtune.data.sources import read_rows
from gamtune.data.split import Split, Words, split_rows
from gamtune.files import replacing, write_text


def prepare(data: Data, folder: Path) -> None:
    """Write x_*.npy, y_*.npy, split.csv and preprocessing.json, and last digest.json, which vouches for the arrays.

    With folds, each has its arrays, preprocessing and digest in a folder of its own, and the digest.json above them
    says what they have in common.

    Raises
    ------
    ConfigError
        If the source or the split cannot be used; nothing is written then.
    """
    rows = read_rows(data)
    split = split_rows(data, rows)
    folds = range(1, (data.validation.folds or 0) + 1)
    training = [split.of_fold(fold) == "train" for fold in folds] or [split.parts == "train"]
    fitted = [Preprocessing.fit(rows, chosen) for chosen in training]  # all that can fail comes first
    write_text(folder / "split.csv", _split_csv(rows, split))
    if not folds:
        _write_set(rows, split.parts, fitted[0], data.selection, folder)
        return
    digests = [
        _write_set(rows, split.of_fold(fold), preprocessing, data.selection, fold_folder(folder, fold))
        for fold, preprocessing in zip(folds, fitted, strict=True)
    ]
    common = _said(rows, split.parts, fitted[0], data.selection) | {"folds": len(folds), "digest": _digest_of(digests)}
    write_text(folder / "digest.json", json.dumps(common, indent=1) + "\n")


def _write_set(rows: Rows, parts: Words, preprocessing: Preprocessing, selection: str, folder: Path) -> str:
    """Write one data set as the trainings read it, and give its digest."""
    hashes = {}
    for part in PARTS:
        chosen = parts == ("test" if part == "validation" and selection == "test" else part)
        for axis, array in (("x", preprocessing.apply(rows.features.loc[chosen])), ("y", rows.target[chosen])):
            hashes[f"{axis}_{part}"] = hashlib.sha256(f"{array.shape}".encode() + array.tobytes()).hexdigest()
            with replacing(folder / f"{axis}_{part}.npy") as path, path.open("wb") as file:
                np.save(file, array)
    write_text(folder / "preprocessing.json", json.dumps(preprocessing.to_dict(), indent=1) + "\n")
    digest = _digest_of(hashes)
    said = _said(rows, parts, preprocessing, selection) | {"digest": digest, "arrays": hashes}
    write_text(folder / "digest.json", json.dumps(said, indent=1) + "\n")
    return digest


def _said(rows: Rows, parts: Words, preprocessing: Preprocessing, selection: str) -> dict[str, Any]:
    """What a digest.json says for people and for the steps that need no array."""
    sizes = {part: int((parts == part).sum()) for part in PARTS}
    if selection == "test":
        sizes["validation"] = sizes["test"]
    return {
        "task": rows.task,
        "inputs": len(preprocessing.features),
        "classes": rows.classes,
        "target_mean": preprocessing.target_mean,
        "target_sd": preprocessing.target_sd,
        "selection": selection,
        "rows": sizes,
    }


def _digest_of(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _split_csv(rows: Rows, split: Split) -> str:
    """Each row's part, in the order of the source; its fold, class and group where there are any."""
    columns: dict[str, Any] = {"row": np.arange(1, len(split.parts) + 1), "part": split.parts}
    if split.folds is not None:
        columns["fold"] = split.folds
    if rows.classes is not None:
        columns["class"] = rows.target
    if rows.groups is not None:
        columns["group"] = rows.groups.to_numpy()
    return pd.DataFrame(columns).to_csv(index=False)

"""Where a study's prepared data lie; no training reads this, each is told its place."""

from pathlib import Path

from gamtune.data.arrays import PARTS

SET_FILES = ("digest.json", "preprocessing.json", *(f"{axis}_{part}.npy" for axis in "xy" for part in PARTS))


def fold_folder(data: Path, fold: int) -> Path:
    """Where a fold's data set lies within the study's ``data/``."""
    return data / f"fold_{fold}"


def fold_folders(data: Path) -> list[Path]:
    """Those of all folds that are there."""
    return sorted(data.glob("fold_*"))


def whole_folder(data: Path) -> Path:
    """Where the data set of all rows but the test's lies."""
    return data / "whole"

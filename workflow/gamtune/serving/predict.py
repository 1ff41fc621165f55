"""Predictions of an exported model for a file of raw samples."""

from pathlib import Path

import pandas as pd

from gamtune.data.preprocessing import Preprocessing
from gamtune.data.raw_cells import raw_features
from gamtune.errors import InputError
from gamtune.results.artefacts import frame_text
from gamtune.results.layout import preprocessing_beside
from gamtune.serving.raw_model import RawModel
from gamtune.tables.table import read_table


def predict_file(model: Path, file: Path, strict: bool = False) -> tuple[str, list[str]]:
    """Return the predictions as CSV text, and warnings about levels that are not in the training data.

    Parameters
    ----------
    model : Path
        An exported ``model.keras`` with its ``preprocessing.json`` in the same folder.
    file : Path
        CSV or Parquet file of n samples with the columns of the training data before preprocessing; other columns are
        ignored.
    strict : bool
        Whether to raise an error instead of returning warnings.

    Returns
    -------
    str
        CSV text of n rows: the predicted class and the probabilities of all classes, or the predicted value.
    list of str
        One warning per column with unknown levels.

    Raises
    ------
    InputError
        If a file is missing or damaged, a column is missing, or a cell of a numeric column is not a finite number.
    """
    beside = preprocessing_beside(model)
    for path in (model, beside):
        if not path.is_file():
            raise InputError(
                ["no such file; an exported model consists of model.keras and preprocessing.json"], str(path)
            )
    preprocessing = Preprocessing.read(beside)
    table = read_table(file, preprocessing.missing, preprocessing.dialect)
    cells = {name: table.column(name) for name in preprocessing.columns}
    samples = pd.DataFrame(
        {name: cell.texts() if name in preprocessing.levels else cell.numbers() for name, cell in cells.items()}
    )
    features, unseen = raw_features(preprocessing, samples, table.place)
    warnings = [f"{file}: {levels}" for levels in unseen]
    if strict and warnings:
        raise InputError(warnings)
    return frame_text(RawModel.read(model, beside).predict(features)), warnings

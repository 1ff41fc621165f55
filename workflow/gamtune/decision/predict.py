"""The exported model on raw rows."""

from pathlib import Path

import pandas as pd

from gamtune.data.preprocessing import Preprocessing
from gamtune.errors import InputError
from gamtune.tables.table import read_table
from gamtune.training.model_file import load_model
from gamtune.training.raw_model import RawModel


def predict_file(model: Path, file: Path) -> str:
    """CSV text: of each row the predicted class and the probabilities of all, or the predicted value.

    Parameters
    ----------
    model : Path
        An exported ``model.keras`` with its ``preprocessing.json`` beside it.
    file : Path
        CSV or Parquet file with the columns that the model was trained on, as they were before any preprocessing;
        others are ignored.

    Raises
    ------
    InputError
        If a file is missing or no model, a column is missing, or a cell of a numeric column is no finite number.
    """
    beside = model.with_name("preprocessing.json")
    try:
        preprocessing = Preprocessing.read(beside)
    except (OSError, ValueError, TypeError):
        raise InputError([f"{beside} is missing or says nothing of a model's inputs"]) from None
    try:
        network = load_model(model)
    except (OSError, ValueError) as error:
        raise InputError([f"{model} cannot be read: {str(error).splitlines()[0]}"]) from None
    table = read_table(file, preprocessing.missing, preprocessing.dialect)
    cells = {name: table.column(name) for name in preprocessing.columns}
    features = pd.DataFrame(
        {name: cell.texts() if name in preprocessing.levels else cell.numbers() for name, cell in cells.items()}
    )
    return RawModel(network, preprocessing).predict(features, table.place).to_csv(index=False)

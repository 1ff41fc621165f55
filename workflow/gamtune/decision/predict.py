"""The exported model on raw rows."""

from pathlib import Path

from gamtune.data.preprocessing import Preprocessing
from gamtune.data.table_file import Places, as_numbers, read_file
from gamtune.errors import InputError
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
    table = read_file(file, preprocessing.missing, preprocessing.levels)
    absent = [name for name in preprocessing.columns if name not in table]
    if absent:
        raise InputError([f"{file} has no column {absent[0]!r}, which the model was trained on"])
    places = Places([(str(file), len(table))])
    for name in preprocessing.columns:
        if name not in preprocessing.levels:
            table[name] = as_numbers(table[name], places)
    return RawModel(network, preprocessing).predict(table, places.of).to_csv(index=False)

"""A model for raw samples with columns of several types, and samples for it."""

import json

from tracked import PREPROCESSING

# Columns of a CSV file: numbers, integers, booleans, codes with leading zeros, and words
WIDE = PREPROCESSING | {
    "columns": ["size", "count", "smoker", "code", "kind"],
    "levels": {"smoker": ["False", "True"], "code": ["0100", "2000"], "kind": ["male", "female"]},
    "features": ["size", "count", "smoker=True", "code=0100", "code=2000", "kind=male"],
    "mean": [1.0, 2.0, 0.0, 0.0, 0.0, 0.0],
    "sd": [2.0, 1.5, 1.0, 1.0, 1.0, 1.0],
    "missing": ["", "?"],
}
ROWS = """size,count,smoker,code,kind
2.5,3,True,0100,male
-1,0,False,2000,female
,7,True,0100,male
"""


def write_model(folder, preprocessing, seed=1):
    """Write a network and its preprocessing to a folder, and return the path of the network."""
    import keras

    folder.mkdir(exist_ok=True)
    keras.utils.set_random_seed(seed)
    outputs = len(preprocessing["classes"])
    model = keras.Sequential(
        [keras.Input([len(preprocessing["features"])]), keras.layers.Dense(outputs, activation="softmax")]
    )
    model.save(folder / "model.keras")
    (folder / "preprocessing.json").write_text(json.dumps(preprocessing))
    return folder / "model.keras"

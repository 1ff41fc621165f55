"""The step `data`: from the source to arrays on disk, their split, their preprocessing and their digest."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd

from gamtune.config.study import Data
from gamtune.data.arrays import PARTS
from gamtune.data.preprocessing import Preprocessing
from gamtune.data.sources import read_rows
from gamtune.data.split import split_rows
from gamtune.files import replacing, write_text


def prepare(data: Data, folder: Path) -> None:
    """Write x_*.npy, y_*.npy, split.csv and preprocessing.json, and last digest.json, which vouches for the arrays.

    Raises
    ------
    ConfigError
        If the source or the split cannot be used; nothing is written then.
    """
    rows = read_rows(data)
    parts = split_rows(data, rows.target, rows.classes)
    preprocessing = Preprocessing.fit(rows.features[parts == "train"], data.target or "target", rows.classes)
    inputs = preprocessing.apply(rows.features)
    hashes = {}
    for part in PARTS:
        chosen = parts == part
        for axis, array in (("x", inputs[chosen]), ("y", rows.target[chosen])):
            hashes[f"{axis}_{part}"] = hashlib.sha256(f"{array.shape}".encode() + array.tobytes()).hexdigest()
            with replacing(folder / f"{axis}_{part}.npy") as path, path.open("wb") as file:
                np.save(file, array)
    split = pd.DataFrame({"row": np.arange(1, len(parts) + 1), "part": parts, "class": rows.target})
    write_text(folder / "split.csv", split.to_csv(index=False))
    write_text(folder / "preprocessing.json", json.dumps(preprocessing.to_dict(), indent=1) + "\n")
    said = {
        "digest": hashlib.sha256(json.dumps(hashes, sort_keys=True).encode()).hexdigest(),
        "inputs": inputs.shape[1],
        "classes": rows.classes,
        "rows": {part: int((parts == part).sum()) for part in PARTS},
        "arrays": hashes,
    }
    write_text(folder / "digest.json", json.dumps(said, indent=1) + "\n")

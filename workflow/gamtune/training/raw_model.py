"""The exported model on raw rows: preprocessing, network and the names of its classes in one."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from gamtune.data.cells import as_text
from gamtune.data.preprocessing import Preprocessing
from gamtune.data.rows import row_number
from gamtune.training.forward import outputs_of
from gamtune.training.model_file import load_model


@dataclass(frozen=True)
class RawModel:
    """A network with what prepares its inputs."""

    network: Any
    preprocessing: Preprocessing

    @classmethod
    def read(cls, model: Path, preprocessing: Path) -> "RawModel":
        """From ``model.keras`` and ``preprocessing.json``."""
        return cls(load_model(model), Preprocessing.read(preprocessing))

    def predict(self, rows: pd.DataFrame, place: Callable[[int], str] = row_number) -> pd.DataFrame:
        """Of each row the predicted class and the probabilities of all, or the predicted value.

        Parameters
        ----------
        rows : (n, p) data frame
            The columns that the model was trained on, as they were before any preprocessing; others are ignored.
        place : callable
            Returns the file and the row number of a row by its position, for messages.

        Returns
        -------
        (n, 1 + classes) or (n, 1) data frame
            ``predicted``, then ``p_<class>``; ``predicted`` alone for a regression.
        """
        table = rows[self.preprocessing.columns].copy()
        for name in table:
            table[name] = as_text(table[name]) if name in self.preprocessing.levels else table[name].astype(float)
        self.preprocessing.check(table, place)
        inputs = self.preprocessing.apply(table)
        outputs = outputs_of(self.network, inputs)
        classes = self.preprocessing.classes
        if classes is None:
            return pd.DataFrame({"predicted": outputs[:, 0]})
        named = pd.DataFrame(outputs, columns=[f"p_{name}" for name in classes])
        named.insert(0, "predicted", [classes[best] for best in outputs.argmax(axis=1)])
        return named

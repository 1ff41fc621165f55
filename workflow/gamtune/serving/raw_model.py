"""The exported model for raw samples: preprocessing, network and names of the classes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from gamtune.data.preprocessing import Preprocessing
from gamtune.learners.mlp.forward import outputs_of
from gamtune.learners.mlp.model_file import load_model


@dataclass(frozen=True)
class RawModel:
    """A network with the preprocessing of its inputs.

    Attributes
    ----------
    network : keras.Model
        The exported network.
    preprocessing : Preprocessing
        The preprocessing, which also holds the names of the classes.
    """

    network: Any
    preprocessing: Preprocessing

    @classmethod
    def read(cls, model: Path, preprocessing: Path) -> "RawModel":
        """Read ``model.keras`` and ``preprocessing.json``.

        Raises
        ------
        DamagedError
            If one of them is damaged, or they belong to different models.
        FileNotFoundError
            If one of them is missing.
        """
        described = Preprocessing.read(preprocessing)
        outputs = 1 if described.classes is None else len(described.classes)
        return cls(load_model(model, (described.inputs, outputs)), described)

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        """Return the predicted class of each sample and the probabilities of all classes, or the predicted value.

        Parameters
        ----------
        features : (n, p) data frame
            As `raw_features` returns them.

        Returns
        -------
        (n, 1 + classes) or (n, 1) data frame
            ``predicted``, then ``p_<class>``; ``predicted`` alone for a regression.
        """
        inputs = self.preprocessing.apply(features)
        outputs = outputs_of(self.network, inputs)
        classes = self.preprocessing.classes
        if classes is None:
            return pd.DataFrame({"predicted": outputs[:, 0]})
        named = pd.DataFrame(outputs, columns=[f"p_{name}" for name in classes])
        named.insert(0, "predicted", [classes[best] for best in outputs.argmax(axis=1)])
        return named

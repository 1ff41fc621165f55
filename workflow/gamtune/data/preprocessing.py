"""Standardisation with the training rows' statistics, and its description that goes with the exported model."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from gamtune.config.errors import ConfigError
from gamtune.data.arrays import FloatArray


@dataclass(frozen=True)
class Preprocessing:
    """How raw columns become the network's inputs: drop ``constant``, subtract ``mean``, divide by ``sd``.

    ``sd`` is the sample standard deviation (n - 1) as in R and H2O; a column that is constant in training is left out.
    """

    features: list[str]
    mean: list[float]
    sd: list[float]
    constant: list[str]
    target: str
    classes: list[Any]

    @classmethod
    def fit(cls, features: pd.DataFrame, target: str, classes: list[Any]) -> "Preprocessing":
        """Take the statistics of the training rows.

        Raises
        ------
        ConfigError
            If no feature varies.
        """
        varies = features.max() > features.min()
        kept = features.loc[:, varies]
        if kept.shape[1] == 0:
            raise ConfigError(["data: every feature is constant in the training rows"])
        return cls(
            features=[str(name) for name in kept.columns],
            mean=kept.mean().tolist(),
            sd=kept.std(ddof=1).tolist(),
            constant=[str(name) for name in features.columns[~varies]],
            target=target,
            classes=classes,
        )

    def apply(self, features: pd.DataFrame) -> FloatArray:
        """(n, inputs) float32 inputs of the network."""
        raw = features[self.features].to_numpy(dtype=float)
        standardised: FloatArray = ((raw - np.array(self.mean)) / np.array(self.sd)).astype(np.float32)
        return standardised

    def to_dict(self) -> dict[str, Any]:
        """As written to preprocessing.json."""
        return asdict(self)

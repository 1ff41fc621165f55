"""What MLflow loads and serves as the champion: this file goes with the model, as code, so nothing is unpickled.

Source: MLflow's "models from code", https://mlflow.org/docs/latest/ml/model/models-from-code
"""

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel

from gamtune.training.raw_model import RawModel

MODEL, PREPROCESSING = "model", "preprocessing"  # the names of its artifacts


class Champion(PythonModel):
    """The exported network, which takes raw rows."""

    def load_context(self, context: Any) -> None:
        """Read the files that were stored with the model."""
        artifacts = context.artifacts
        self.model = RawModel.read(Path(artifacts[MODEL]), Path(artifacts[PREPROCESSING]))

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """As `RawModel.predict`; MLflow has checked the columns against the signature."""
        return self.model.predict(model_input)


set_model(Champion())

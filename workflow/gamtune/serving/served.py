"""The model that MLflow loads and serves as the champion.

This file is stored with the model as code, so that nothing is unpickled.
Source: MLflow's "models from code", https://mlflow.org/docs/latest/ml/model/models-from-code
"""

import logging
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.protos.databricks_pb2 import BAD_REQUEST
from mlflow.pyfunc.model import PythonModel

from gamtune.data.raw_cells import CellError, raw_features
from gamtune.errors import InputError
from gamtune.serving.raw_model import RawModel

logger = logging.getLogger(__name__)

MODEL, PREPROCESSING = "model", "preprocessing"  # names of the artifacts of the model


class Champion(PythonModel):
    """The exported network for raw samples."""

    def load_context(self, context: Any) -> None:
        """Read the files that were stored with the model."""
        artifacts = context.artifacts
        self.model = RawModel.read(Path(artifacts[MODEL]), Path(artifacts[PREPROCESSING]))

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Return the predictions of `RawModel.predict`; MLflow has checked that no column is missing.

        Raises
        ------
        MlflowException
            If a cell cannot be converted; the status of the HTTP response is 400.
        """
        try:
            features, unseen = raw_features(self.model.preprocessing, model_input)
        except CellError as error:
            message = f"Failed to convert column {error.column} to type 'float64': {error}"
            raise MlflowException(message, error_code=BAD_REQUEST) from None
        except InputError as error:
            raise MlflowException(str(error), error_code=BAD_REQUEST) from None
        for levels in unseen:
            logger.warning("%s", levels)
        return self.model.predict(features)


set_model(Champion())

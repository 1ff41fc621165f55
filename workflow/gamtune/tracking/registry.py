"""The champion: the optimum's model as a version in MLflow's model registry."""

import hashlib
import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from gamtune.tracking.address import TrackingError
from gamtune.tracking.runs import list_runs
from gamtune.tracking.store import Store, open_store
from gamtune.training.model_file import load_model

# isort: split
# MLflow comes after store, which prepares its settings.
import mlflow
from mlflow.models import Model, ModelSignature
from mlflow.types import Schema, TensorSpec

ALIAS = "champion"
DIGEST_TAG = "gamtune.model"  # sha256 of model.keras


@dataclass(frozen=True)
class Champion:
    """The registered model, which loads as ``models:/<name>@champion``."""

    name: str
    version: str
    digest: str


def register_champion(study: str, uri: str, results: Path) -> Champion:
    """Register ``optimum/model.keras`` as the model named like the study and point the alias ``champion`` at it.

    The same model file makes no second version; earlier champions stay as versions.

    Parameters
    ----------
    study, uri, results
        As in `gamtune.tracking.sync.sync`, which must have written the optimum's run before.

    Raises
    ------
    TrackingError
        If the store cannot be used, or has no run of the optimum.
    FileNotFoundError
        If the study has no optimum yet.
    """
    path = results / study / "optimum" / "model.keras"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with open_store(study, uri, results) as store:
        number = _version_of(store, digest)
        if number is None:
            run_id = _optimum_run(store)
            if run_id is None:
                raise TrackingError(uri, f"has no run of {study}'s optimum, sync the study first")
            model_id = _finished_model(store, digest) or _log_model(store, path, digest, run_id)
            number = _add_version(store, model_id, run_id, digest, _why(results / study))
        store.client.set_registered_model_alias(study, ALIAS, number)
    return Champion(name=study, version=number, digest=digest)


def _version_of(store: Store, digest: str) -> str | None:
    versions = store.client.search_model_versions(f"name = '{store.study}'")
    return next((str(found.version) for found in versions if found.tags.get(DIGEST_TAG) == digest), None)


def _optimum_run(store: Store) -> str | None:
    return next((run.run_id for run in list_runs(store) if run.key == "optimum" and not run.running), None)


def _finished_model(store: Store, digest: str) -> str | None:
    """A model that an earlier call logged without getting as far as the version; what it left half done goes."""
    wanted = f"tags.`{DIGEST_TAG}` = '{digest}'"
    for model in store.client.search_logged_models([store.experiment_id], filter_string=wanted):
        if model.status == "READY":
            return str(model.model_id)
        store.client.delete_logged_model(model.model_id)
    return None


def _log_model(store: Store, path: Path, digest: str, run_id: str) -> str:
    """Store the model in the study's experiment, linked to the optimum's run.

    Made before it is logged, because ``log_model`` alone would put it into experiment 0. The pins spare a minute of
    MLflow loading the model in a process of its own to find them; an ``input_example`` crashes (mlflow 3.17).
    """
    keras_model = load_model(path)
    logged = store.client.create_logged_model(
        store.experiment_id, name=store.study, source_run_id=run_id, tags={DIGEST_TAG: digest}, model_type="keras"
    )
    mlflow.set_tracking_uri(store.uri)
    Model.log(
        artifact_path=None,
        flavor=mlflow.keras,
        name=store.study,
        run_id=run_id,
        model_id=logged.model_id,
        model=keras_model,
        signature=_signature(keras_model),
        pip_requirements=[f"{package}=={version(package)}" for package in ("keras", "tensorflow", "numpy")],
    )
    return str(logged.model_id)


def _signature(keras_model: Any) -> ModelSignature:
    def schema(width: int) -> Schema:
        return Schema([TensorSpec(np.dtype("float32"), (-1, width))])

    return ModelSignature(schema(keras_model.input_shape[-1]), schema(keras_model.output_shape[-1]))


def _add_version(store: Store, model_id: str, run_id: str, digest: str, why: str | None) -> str:
    if not store.client.search_registered_models(f"name = '{store.study}'"):
        store.client.create_registered_model(store.study)
    added = store.client.create_model_version(
        store.study,
        source=f"models:/{model_id}",
        run_id=run_id,
        tags={DIGEST_TAG: digest},
        description=why,
        model_id=model_id,
    )
    return str(added.version)


def _why(folder: Path) -> str | None:
    """Why the optimum was chosen, where the decision says so."""
    try:
        decision = json.loads((folder / "decision" / "decision.json").read_text())
    except FileNotFoundError:
        return None
    why = decision.get("why")
    return None if why is None else str(why)

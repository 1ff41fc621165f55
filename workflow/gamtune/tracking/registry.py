"""The champion: the model of the optimum as a version in MLflow's model registry."""

import hashlib
import shutil
import warnings
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import shorten

from gamtune.data.preprocessing import Preprocessing
from gamtune.learners.mlp.model_file import check_model_file
from gamtune.results.step_summaries import Champion
from gamtune.runtime.environment import LIBRARY
from gamtune.runtime.fingerprint import closure
from gamtune.serving import served
from gamtune.tracking.records import read_selection
from gamtune.tracking.store import Store

# isort: split
# MLflow is imported after store, which prepares its settings.
import mlflow
from mlflow.entities.model_registry import RegisteredModel
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, DataType, Schema, TensorSpec
from mlflow.types.schema import AnyType

ALIAS = "champion"
FINGERPRINT_TAG = "gamtune.model"  # its value is the SHA-256 of the files of the network and of the preprocessing
SOURCE = "models:/"  # followed by the id of a logged model, this is the source of a version
MOST_INPUTS, LONGEST_WORDS = 100, 5000  # inputs in the description of a model, and characters of the description
PACKAGES = ("keras", "numpy", "pandas", "scikit-learn", "tensorflow")  # packages that the served code imports


def register_champion(store: Store, run_id: str) -> Champion:
    """Register ``optimum/model.keras`` under the name of the study, and set the alias ``champion`` to its version.

    A model that is registered already gets no second version. The versions of earlier champions are kept.

    Parameters
    ----------
    store : Store
        The open store.
    run_id : str
        Id of the run of the optimum.

    Raises
    ------
    DamagedError
        If the network or its preprocessing is damaged.
    """
    optimum = store.study.layout.optimum
    network, preprocessing = optimum.model, optimum.preprocessing
    check_model_file(network)
    described = Preprocessing.read(preprocessing)
    fingerprint = hashlib.sha256(network.read_bytes() + preprocessing.read_bytes()).hexdigest()
    number = _version_of(store, fingerprint)
    if number is None:
        model_id = _finished_model(store, fingerprint) or _log_model(
            store, network, preprocessing, described, fingerprint, run_id
        )
        selection = read_selection(store.study.layout)
        number = _add_version(store, model_id, run_id, fingerprint, selection.why if selection else None)
    model = _registered(store)
    if model is None or str(model.aliases.get(ALIAS)) != number:
        store.client.set_registered_model_alias(store.study.name, ALIAS, number)
    return Champion(name=store.study.name, version=number, fingerprint=fingerprint)


def _version_of(store: Store, fingerprint: str) -> str | None:
    versions = store.client.search_model_versions(f"name = '{store.study.name}'")
    same = [found for found in versions if found.tags.get(FINGERPRINT_TAG) == fingerprint]
    return next((str(found.version) for found in same if _is_complete(store, found.source)), None)


def _is_complete(store: Store, source: str | None) -> bool:
    """Return whether a logged model and its files exist; either may have been deleted in MLflow's UI."""
    try:
        return bool(store.client.list_logged_model_artifacts(str(source).removeprefix(SOURCE)))
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"):
            return False
        raise


def _registered(store: Store) -> RegisteredModel | None:
    """Return the registered model of the study with its aliases, or None if it is not registered."""
    return next(iter(store.client.search_registered_models(f"name = '{store.study.name}'")), None)


def _finished_model(store: Store, fingerprint: str) -> str | None:
    """Return a model that an interrupted call has logged completely; incomplete ones are deleted."""
    wanted = f"tags.`{FINGERPRINT_TAG}` = '{fingerprint}'"
    for model in store.client.search_logged_models([store.experiment_id], filter_string=wanted):
        if model.status == "READY" and _is_complete(store, model.model_id):
            return str(model.model_id)
        store.client.delete_logged_model(model.model_id)
    return None


def _log_model(
    store: Store, network: Path, preprocessing: Path, described: Preprocessing, fingerprint: str, run_id: str
) -> str:
    """Store the model in the experiment of the study, linked to the run of the optimum, and return its id.

    The logged model is created first, because ``log_model`` alone would put it into experiment 0. The requirements are
    given, because MLflow needs a minute to find them by loading the model in another process. There is no
    ``input_example``, because MLflow crashes with one (3.17).
    """
    logged = store.client.create_logged_model(
        store.experiment_id,
        name=store.study.name,
        source_run_id=run_id,
        tags={FINGERPRINT_TAG: fingerprint},
        params={"inputs": input_words(described)},
        model_type="keras",
    )
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # about the missing input example
        Model.log(
            artifact_path=None,
            flavor=mlflow.pyfunc,
            name=store.study.name,
            run_id=run_id,
            model_id=logged.model_id,
            python_model=str(served.__file__),
            code_paths=[str(_served_code(Path(folder)))],
            artifacts={served.MODEL: str(network), served.PREPROCESSING: str(preprocessing)},
            signature=signature(described),
            pip_requirements=[f"{package}=={version(package)}" for package in PACKAGES],
        )
    return str(logged.model_id)


def _served_code(folder: Path) -> Path:
    """Copy the modules of this library that the model needs into a folder, and return the path of the package."""
    for file in closure("gamtune.serving.served"):
        copy = folder / file.relative_to(LIBRARY)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
        for package in copy.relative_to(folder).parents[:-1]:
            (folder / package / "__init__.py").touch()
    return folder / "gamtune"


def signature(preprocessing: Preprocessing) -> ModelSignature:
    """Return the signature of the model: the names of the raw columns, and names and types of the predictions.

    The inputs have the type "any", and the model converts them, because MLflow would reject the integers of pandas in a
    numeric column, and integers and booleans in a categorical column.
    """
    anything = AnyType()  # type: ignore[no-untyped-call]
    inputs: list[ColSpec | TensorSpec] = [ColSpec(anything, name) for name in preprocessing.columns]
    classes = preprocessing.classes
    if classes is None:
        return ModelSignature(Schema(inputs), Schema([ColSpec(DataType.double, "predicted")]))
    kind = DataType.long if all(isinstance(name, int) for name in classes) else DataType.string
    outputs: list[ColSpec | TensorSpec] = [
        ColSpec(kind, "predicted"),
        *(ColSpec(DataType.double, f"p_{name}") for name in classes),
    ]
    return ModelSignature(Schema(inputs), Schema(outputs))


def input_words(preprocessing: Preprocessing) -> str:
    """Return a text with the type or the levels of each input, because MLflow shows the names of the inputs only."""
    words = [
        f"{name}: {', '.join(preprocessing.levels[name]) if name in preprocessing.levels else 'number'}"
        for name in preprocessing.columns[:MOST_INPUTS]
    ]
    left_out = len(preprocessing.columns) - len(words)
    if left_out:
        words.append(f"{left_out:,} more inputs, in preprocessing.json")
    return shorten("; ".join(words), LONGEST_WORDS, placeholder=" ...")


def _add_version(store: Store, model_id: str, run_id: str, fingerprint: str, why: str | None) -> str:
    if _registered(store) is None:
        store.client.create_registered_model(store.study.name)
    added = store.client.create_model_version(
        store.study.name,
        source=f"{SOURCE}{model_id}",
        run_id=run_id,
        tags={FINGERPRINT_TAG: fingerprint},
        description=why,
        model_id=model_id,
    )
    return str(added.version)

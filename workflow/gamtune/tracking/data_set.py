"""The data of a study as MLflow datasets, with their fingerprint and the columns of the raw samples."""

import json
from bisect import bisect_right
from functools import lru_cache
from itertools import accumulate

from gamtune.data.preprocessing import Preprocessing
from gamtune.errors import DamagedError
from gamtune.results.dataset import DatasetInfo
from gamtune.results.layout import DataFolder
from gamtune.tracking.store import Store
from gamtune.tracking.study import TrackedStudy

# isort: split
# MLflow is imported after store, which prepares its settings.
from mlflow.entities import Dataset, DatasetInput, InputTag

LONGEST_DIGEST = 36  # characters that MLflow stores (3.17)
# Characters of a schema. MLflow 3.17 stores up to 1,048,575, but sends the schema with each run of a list, and older
# servers store up to 65,535
LONGEST_SCHEMA, SPARE = 60_000, 5_000  # SPARE is reserved for the target


def read_data_sets(store: Store) -> dict[str, DatasetInput]:
    """Return the data sets that trials of the study may have been trained on.

    A missing or damaged data set is left out.

    Returns
    -------
    dict
        The data sets by their fingerprint, which the records of the trials contain. The schema lists the raw columns
        and the target; the profile contains the numbers of samples.
    """
    study = store.study
    data = study.layout.data
    data_sets: dict[str, DatasetInput] = {}
    for folder in (data, *data.folds, data.refit):
        try:
            fingerprint, data_set = _read(study, folder, folder.info.stat().st_mtime_ns)
        except (OSError, DamagedError):
            continue
        data_sets[fingerprint] = data_set
    return data_sets


@lru_cache(maxsize=1000)
def _read(study: TrackedStudy, folder: DataFolder, changed_at: int) -> tuple[str, DatasetInput]:
    """Return the fingerprint and the data set of a folder.

    The result is cached until the folder changes, because a follower calls this function every few seconds and a
    whitening matrix has megabytes.
    """
    info = DatasetInfo.read(folder.info)
    return info.fingerprint, _data_set(study, info, Preprocessing.read(folder.preprocessing))


def _data_set(study: TrackedStudy, info: DatasetInfo, preprocessing: Preprocessing) -> DatasetInput:
    target = {preprocessing.target: "string" if preprocessing.classes else "double"}
    kinds = {name: "string" if name in preprocessing.levels else "double" for name in preprocessing.columns}
    dataset = Dataset(
        name=study.source or study.name,
        digest=info.fingerprint[:LONGEST_DIGEST],
        source_type="local",
        source=json.dumps({"uri": study.source}),
        schema=_schema(kinds, target),
        profile=json.dumps({"num_rows": sum(info.rows.values()), **info.rows}),
    )
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])


def _schema(inputs: dict[str, str], target: dict[str, str]) -> str:
    """Return MLflow's schema; of very many inputs only the first, the target and the number of the others."""
    columns = [_column(name, kind) for name, kind in (inputs | target).items()]
    text = json.dumps({"mlflow_colspec": columns})
    if len(text) <= LONGEST_SCHEMA:
        return text
    lengths = accumulate(len(json.dumps(column)) + 2 for column in columns)
    kept = bisect_right(list(lengths), LONGEST_SCHEMA - SPARE)
    others = _column(f"({len(columns) - kept:,} more columns)", "string")
    return json.dumps({"mlflow_colspec": [*columns[:kept], *(_column(*pair) for pair in target.items()), others]})


def _column(name: str, kind: str) -> dict[str, str | bool]:
    return {"type": kind, "name": name, "required": True}

"""The data of a study as MLflow's datasets: named, known by their digest, with the columns of their raw rows."""

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
# MLflow comes after store, which prepares its settings.
from mlflow.entities import Dataset, DatasetInput, InputTag

LONGEST_DIGEST = 36  # characters that MLflow keeps (3.17)
# Characters of a schema. MLflow 3.17 keeps 1,048,575, but sends the schema with each run of a list, and older servers
# keep 65,535
LONGEST_SCHEMA, SPARE = 60_000, 5_000  # spare: for the target's own name


def read_data_sets(store: Store) -> dict[str, DatasetInput]:
    """Of each data set that the study's trainings may have had, by the digest that their records name.

    The name, the source and the number of rows are the study's; the schema lists the raw columns and the target.
    """
    study = store.study
    folder = study.layout.data
    found: dict[str, DatasetInput] = {}
    for place in (folder, *folder.folds, folder.whole):
        try:
            digest, data_set = _read(study, place, place.info.stat().st_mtime_ns)
        except (OSError, DamagedError):
            continue
        found[digest] = data_set
    return found


@lru_cache(maxsize=1000)
def _read(study: TrackedStudy, place: DataFolder, changed_at: int) -> tuple[str, DatasetInput]:
    """Digest and data set of a folder, read once a change: a follower asks often, and whitening is megabytes."""
    info = DatasetInfo.read(place.info)
    return info.digest, _data_set(study, info, Preprocessing.read(place.preprocessing))


def _data_set(study: TrackedStudy, info: DatasetInfo, preprocessing: Preprocessing) -> DatasetInput:
    target = {preprocessing.target: "string" if preprocessing.classes else "double"}
    kinds = {name: "string" if name in preprocessing.levels else "double" for name in preprocessing.columns}
    dataset = Dataset(
        name=study.source or study.name,
        digest=info.digest[:LONGEST_DIGEST],
        source_type="local",
        source=json.dumps({"uri": study.source}),
        schema=_schema(kinds, target),
        profile=json.dumps({"num_rows": sum(info.rows.values()), **info.rows}),
    )
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])


def _schema(inputs: dict[str, str], target: dict[str, str]) -> str:
    """Return MLflow's schema; of very many inputs the first, the target, and how many were left out."""
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

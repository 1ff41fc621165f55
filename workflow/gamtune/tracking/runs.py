"""The runs of a study in the tracking store: functions that list, write, amend and hide them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlparse

from gamtune.tracking.run_content import NOTE, Point, RunContent
from gamtune.tracking.store import Store, find_experiment, open_store
from gamtune.tracking.study import TrackedStudy

# isort: split
# MLflow is imported after store, which prepares its settings.
from mlflow.entities import DatasetInput, Metric, Param, RunTag

METRICS_PER_BATCH, PARAMS_PER_BATCH, TAGS_PER_BATCH = 800, 100, 100  # MLflow accepts at most 1000 entries in total
RUNS_PER_PAGE = 1000
PART = ".artifact.uploading.*"  # MLflow's name for a local artifact that is not complete yet


@dataclass(frozen=True)
class StoredRun:
    """A run in the store; ``running`` is true if its writer was killed before the run was complete."""

    run_id: str
    key: str
    fingerprint: str
    name: str
    running: bool
    params: frozenset[str]
    tags: Mapping[str, str]


def list_runs(store: Store, keys: Collection[str] | None = None) -> Iterator[StoredRun]:
    """Yield the active runs of the study that a sync has written; with ``keys``, only those with one of the keys."""
    wanted = f"tags.`gamtune.study` = '{store.study.name}'"
    if keys is None:
        yield from _search(store, wanted)
    else:
        for key in keys:
            yield from _search(store, f"{wanted} AND tags.`gamtune.key` = '{key}'")


def _search(store: Store, wanted: str) -> Iterator[StoredRun]:
    token = None
    while True:
        page = store.client.search_runs(
            [store.experiment_id], filter_string=wanted, max_results=RUNS_PER_PAGE, page_token=token
        )
        for run in page:
            yield StoredRun(
                run_id=run.info.run_id,
                key=run.data.tags.get("gamtune.key", ""),
                fingerprint=run.data.tags.get("gamtune.record", ""),
                name=run.info.run_name,
                running=run.info.status == "RUNNING",
                params=frozenset(run.data.params),
                tags=run.data.tags,
            )
        token = page.token
        if not token:
            return


def create_run(store: Store, content: RunContent) -> str:
    """Create an empty run with the tags that identify it, so that a later sync can complete it, and return its id."""
    commit = {"mlflow.source.git.commit": store.study.commit} if store.study.commit else {}
    tags = {
        "gamtune.study": store.study.name,
        "gamtune.role": content.role,
        "gamtune.key": content.key,
        "gamtune.record": content.fingerprint,
        "mlflow.source.name": "gamtune",
        "mlflow.source.type": "JOB",
        **commit,
    }
    run = store.client.create_run(store.experiment_id, start_time=content.start, tags=tags, run_name=content.name)
    return str(run.info.run_id)


def fill_run(store: Store, run_id: str, content: RunContent, data: DatasetInput | None) -> None:
    """Write the content of a run, and its status last.

    All times come from the record, so writing the same content again changes nothing.
    """
    _log(store, run_id, content.params, content.points, content.tags)
    if data is not None:
        store.client.log_inputs(run_id, datasets=[data])
    for path, folder in content.artifacts:
        store.client.log_artifact(run_id, str(path), folder or None)
    store.client.set_terminated(run_id, content.status, content.end)


def resume_run(store: Store, run_id: str, content: RunContent, data: DatasetInput | None) -> None:
    """Complete a run whose writer was killed, and remove incomplete artifacts that it may have left."""
    artifacts = urlparse(store.client.get_run(run_id).info.artifact_uri)
    if artifacts.scheme == "file":
        for part in Path(unquote(artifacts.path)).rglob(PART):
            part.unlink(missing_ok=True)
    fill_run(store, run_id, content, data)


def amend_run(store: Store, run: StoredRun, content: RunContent) -> None:
    """Update a run whose record has not changed, but whose study has.

    For example, another hyperparameter varies, the trial has another name, or the strategy is another one. The
    description is not changed, because a user may have edited it.
    """
    missing = {name: value for name, value in content.params.items() if name not in run.params}
    changed = {name: value for name, value in content.tags.items() if run.tags.get(name) != value}
    changed.pop(NOTE, None)
    if missing or changed:
        _log(store, run.run_id, missing, tags=changed)
    if run.name != content.name:
        store.client.update_run(run.run_id, name=content.name)


def retire_run(store: Store, run: StoredRun, state: str) -> None:
    """Delete an outdated run as in MLflow's UI; it can be restored until ``mlflow gc``."""
    store.client.set_tag(run.run_id, "gamtune.state", state)
    if run.running:
        store.client.set_terminated(run.run_id, "KILLED")
    store.client.delete_run(run.run_id)


def delete_runs(study: TrackedStudy, keys: Collection[str]) -> int:
    """Delete the runs of trials that were removed; they can be restored until ``mlflow gc``.

    Parameters
    ----------
    study : TrackedStudy
        The study; if the store does not contain it, nothing is done.
    keys : collection of str
        Values of the tag ``gamtune.key``.

    Returns
    -------
    int
        Number of runs that were deleted.

    Raises
    ------
    TrackingError
        If the store cannot be reached, read or written.
    """
    if find_experiment(study) is None:
        return 0
    with open_store(study) as store:
        deleted = [run for run in list_runs(store) if run.key in keys]
        for run in deleted:
            retire_run(store, run, "pruned")
    return len(deleted)


def _log(
    store: Store,
    run_id: str,
    params: Mapping[str, str],
    points: Sequence[Point] = (),
    tags: Mapping[str, str] | None = None,
) -> None:
    """Write parameters, metrics and tags in as few calls as MLflow's limits allow."""
    entries = [Param(name, value) for name, value in params.items()]
    metrics = [Metric(point.metric, point.value, point.time, point.step) for point in points]
    labels = [RunTag(name, value) for name, value in (tags or {}).items()]
    while entries or metrics or labels:
        store.client.log_batch(run_id, metrics[:METRICS_PER_BATCH], entries[:PARAMS_PER_BATCH], labels[:TAGS_PER_BATCH])
        del metrics[:METRICS_PER_BATCH], entries[:PARAMS_PER_BATCH], labels[:TAGS_PER_BATCH]

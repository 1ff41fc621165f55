"""Sync: update the tracking store from the results of a study on disk. A second sync changes nothing."""

import time
from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from gamtune.results.step_summaries import Champion, Counts, Synced
from gamtune.tracking.address import TrackingError, is_server
from gamtune.tracking.data_set import read_data_sets
from gamtune.tracking.records import read_study
from gamtune.tracking.registry import register_champion
from gamtune.tracking.run_content import RunContent, record_content, study_content
from gamtune.tracking.runs import StoredRun, amend_run, create_run, fill_run, list_runs, resume_run, retire_run
from gamtune.tracking.saved_view import KNOWN, TAG, saved_view, study_link
from gamtune.tracking.store import Store, open_store
from gamtune.tracking.study import TrackedStudy

PATIENCE, PAUSE = 90, 3  # seconds without progress before a sync with a server fails, and seconds between two attempts


@dataclass
class Actions:
    """The action on each run so far, over all passes of a sync."""

    of: dict[str, str] = field(default_factory=dict)
    retired: int = 0

    def note(self, key: str, action: str) -> None:
        """Store the action on the run with a key; "unchanged" does not replace an earlier action."""
        if action != "unchanged":
            self.of[key] = action
        self.of.setdefault(key, action)

    @property
    def counts(self) -> Counts:
        """Number of runs per action."""
        done = list(self.of.values())
        return Counts(done.count("added"), done.count("resumed"), done.count("unchanged"), self.retired)


def sync(study: TrackedStudy) -> Synced:
    """Update the runs and the registered model of a study in MLflow from its results on disk.

    Every record becomes one run, which is identified by the tags ``gamtune.key`` (the trial) and ``gamtune.record``
    (SHA-256 of the record). A changed record replaces its run, and the run of a trial that is no longer in the study is
    deleted. One more run holds the tables, figures and report. The model of the optimum is registered as the champion.
    A sync may be killed at any time; the next one completes it. If a server goes down during a sync, the sync retries
    until there has been no progress for `PATIENCE` seconds.

    Raises
    ------
    TrackingError
        If the store cannot be reached, read or written.
    """
    actions, answered, done, give_up = Actions(), False, -1, 0.0
    while True:
        try:
            with open_store(study) as store:
                answered = True
                summary = study_content(study)
                others = [summary] if summary else []
                contents = sync_runs(store, actions, others)
                if is_server(study.uri) and actions.counts.added:
                    # A request that was repeated because its response was lost may have created a second run with the
                    # same key; the second pass finds and deletes it
                    contents = sync_runs(store, actions, others)
                champion, note = _champion(store), write_view(store, contents)
                return Synced(counts=actions.counts, champion=champion, note=note)
        except TrackingError:
            if not answered or not is_server(study.uri):
                raise
            if len(actions.of) > done:
                done, give_up = len(actions.of), time.monotonic() + PATIENCE
            elif time.monotonic() > give_up:
                raise
            time.sleep(PAUSE)


def sync_runs(
    store: Store,
    actions: Actions,
    others: list[RunContent],
    only: Collection[Path] | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> list[RunContent]:
    """Update the runs of a study in an open store.

    Parameters
    ----------
    store : Store
        The open store.
    actions : Actions
        Receives the action on each run.
    others : list of RunContent
        Runs in addition to those of the records.
    only : collection of paths, optional
        Records to read; runs without a record are deleted only if this is None.
    stopped : callable
        Called before each run; if it returns True, the remaining runs are not updated.

    Returns
    -------
    list of RunContent
        The contents of the runs.
    """
    found = read_study(store.study, only)
    link, data = study_link(store.experiment_id), read_data_sets(store)
    contents = [record_content(record, store.study, found.varying, link) for record in found.runs] + others
    stored: dict[str, list[StoredRun]] = defaultdict(list)
    for run in list_runs(store, None if only is None else [content.key for content in contents]):
        stored[run.key].append(run)
    for content in contents:
        if stopped():
            return contents
        runs = stored.pop(content.key, [])
        same = [run for run in runs if run.fingerprint == content.fingerprint]
        kept = min(same, key=lambda run: run.running, default=None)  # a finished run is preferred
        if kept is None:
            fill_run(store, create_run(store, content), content, data.get(content.data))
            actions.note(content.key, "added")
        elif kept.running:
            resume_run(store, kept.run_id, content, data.get(content.data))
            actions.note(content.key, "resumed")
        else:
            amend_run(store, kept, content)
            actions.note(content.key, "unchanged")
        for run in runs:
            if run is not kept:
                retire_run(store, run, "superseded")
                actions.retired += 1
    for key, runs in stored.items():
        missing_table = key.startswith("trial/") and not found.has_table
        if only is not None or key in found.awaited or key == "study" or missing_table:
            continue
        for run in runs:
            retire_run(store, run, "removed")
            actions.retired += 1
    return contents


def write_view(store: Store, contents: list[RunContent]) -> str:
    """Save the view of the trials; return why it was not saved, or an empty text."""
    version = store.version()
    if version not in KNOWN:
        return f"no saved view: its format is tested with MLflow {', '.join(KNOWN)} only, the version is {version}"
    trials = [content for content in contents if content.role == "trial"]
    view = saved_view(store.study.name, trials, store.study.layout)
    if view is not None and store.client.get_experiment(store.experiment_id).tags.get(TAG) != view:
        store.client.set_experiment_tag(store.experiment_id, TAG, view)
    return ""


def _champion(store: Store) -> Champion | None:
    """Register the optimum if the study has one and its run is complete."""
    optimum = store.study.layout.optimum
    if not all(path.exists() for path in (optimum.model, optimum.preprocessing, optimum.record)):
        return None
    run_id = next((run.run_id for run in list_runs(store, ["optimum"]) if not run.running), None)
    return None if run_id is None else register_champion(store, run_id)

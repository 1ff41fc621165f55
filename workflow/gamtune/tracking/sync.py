"""Bringing the tracking store up to date with what a study left on disk; done twice, it changes nothing."""

import time
from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from gamtune.tracking.address import TrackingError, is_server
from gamtune.tracking.data_set import read_data_sets
from gamtune.tracking.records import read_study
from gamtune.tracking.registry import Champion, register_champion
from gamtune.tracking.run_content import RunContent, record_content, study_content
from gamtune.tracking.runs import StoredRun, amend_run, create_run, fill_run, list_runs, resume_run, retire_run
from gamtune.tracking.saved_view import KNOWN, TAG, saved_view, study_link
from gamtune.tracking.store import Store, open_store
from gamtune.tracking.study import TrackedStudy

PATIENCE, PAUSE = 90, 3  # seconds without progress on a server that has answered, and between two attempts


@dataclass(frozen=True)
class Counts:
    """What a sync did to how many runs; ``resumed`` ones had been left unfinished by a writer that was killed."""

    added: int = 0
    resumed: int = 0
    unchanged: int = 0
    retired: int = 0

    def __str__(self) -> str:
        return f"{self.added} added, {self.resumed} resumed, {self.unchanged} unchanged, {self.retired} retired"


@dataclass
class Deeds:
    """What has been done to each run so far, over all passes of a sync."""

    of: dict[str, str] = field(default_factory=dict)
    retired: int = 0

    def note(self, key: str, deed: str) -> None:
        """Say what was done to the run of a key; that a later pass found it so changes nothing."""
        if deed != "unchanged":
            self.of[key] = deed
        self.of.setdefault(key, deed)

    @property
    def counts(self) -> Counts:
        """How many runs each was done to."""
        done = list(self.of.values())
        return Counts(done.count("added"), done.count("resumed"), done.count("unchanged"), self.retired)


@dataclass(frozen=True)
class Synced:
    """What a sync came to: its counts, the champion if there is an optimum, and what to tell besides."""

    counts: Counts
    champion: Champion | None
    note: str = ""

    def __str__(self) -> str:
        champion = f"\n{self.champion.name}@champion is version {self.champion.version}" if self.champion else ""
        return f"{self.counts}{champion}" + (f"\n{self.note}" if self.note else "")


def sync(study: TrackedStudy) -> Synced:
    """Make what MLflow has of a study what its records on disk say.

    Every record becomes one run, known by the tags ``gamtune.key`` (which training) and ``gamtune.record`` (sha256 of
    its bytes). A changed record replaces its run; a training that left the table takes its run along. One more run
    holds the tables, figures and report; the optimum's network is the registered model's champion. May be killed at
    any time: the next sync finishes the work. A server that goes away in the middle is waited for.

    Raises
    ------
    TrackingError
        If the store cannot be reached, read or written.
    """
    deeds, answered, done, give_up = Deeds(), False, -1, 0.0
    while True:
        try:
            with open_store(study) as store:
                answered = True
                summary = study_content(study)
                others = [summary] if summary else []
                contents = sync_runs(store, deeds, others)
                if is_server(study.uri) and deeds.counts.added:
                    # A request sent again because its answer was lost made a second run of a key: now it is seen
                    contents = sync_runs(store, deeds, others)
                return Synced(deeds.counts, _champion(store), write_view(store, contents))
        except TrackingError:
            if not answered or not is_server(study.uri):
                raise
            if len(deeds.of) > done:
                done, give_up = len(deeds.of), time.monotonic() + PATIENCE
            elif time.monotonic() > give_up:  # it answers, and refuses
                raise
            time.sleep(PAUSE)


def sync_runs(
    store: Store,
    deeds: Deeds,
    others: list[RunContent],
    only: Collection[Path] | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> list[RunContent]:
    """Bring the runs of all records, and the ``others``, up to date in an open store; between two runs it may stop.

    With ``only``, these records are looked at and no run is retired for want of one. Gives what the runs hold.
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
        same = [run for run in runs if run.digest == content.digest]
        kept = min(same, key=lambda run: run.running, default=None)  # a finished one, if there is
        if kept is None:
            fill_run(store, create_run(store, content), content, data.get(content.data))
            deeds.note(content.key, "added")
        elif kept.running:
            resume_run(store, kept.run_id, content, data.get(content.data))
            deeds.note(content.key, "resumed")
        else:
            amend_run(store, kept, content)
            deeds.note(content.key, "unchanged")
        for run in runs:
            if run is not kept:
                retire_run(store, run, "superseded")
                deeds.retired += 1
    for key, runs in stored.items():
        missing_table = key.startswith("trial/") and not found.has_table
        if only is not None or key in found.awaited or key == "study" or missing_table:
            continue
        for run in runs:
            retire_run(store, run, "removed")
            deeds.retired += 1
    return contents


def write_view(store: Store, contents: list[RunContent]) -> str:
    """Save the view of the study's trials for the MLflow that shows them; otherwise say why there is none."""
    version = store.version()
    if version not in KNOWN:
        return f"no saved view: its format is known for MLflow {', '.join(KNOWN)}, this is {version}"
    trials = [content for content in contents if content.role == "trial"]
    view = saved_view(store.study.name, trials, store.study.layout)
    if view is not None and store.client.get_experiment(store.experiment_id).tags.get(TAG) != view:
        store.client.set_experiment_tag(store.experiment_id, TAG, view)
    return ""


def _champion(store: Store) -> Champion | None:
    """Register the optimum, where a study has come to one whose run is there."""
    optimum = store.study.layout.optimum
    if not all(path.exists() for path in (optimum.model, optimum.preprocessing, optimum.record)):
        return None
    run_id = next((run.run_id for run in list_runs(store, ["optimum"]) if not run.running), None)
    return None if run_id is None else register_champion(store, run_id)

"""Bringing the tracking store up to date with what a study left on disk; done twice, it changes nothing."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gamtune.tracking.records import read_study
from gamtune.tracking.run_content import RunContent, record_content, study_content
from gamtune.tracking.runs import StoredRun, amend_run, create_run, fill_run, list_runs, retire_run
from gamtune.tracking.store import Store, open_store


@dataclass(frozen=True)
class Counts:
    """What a sync did to how many runs; ``resumed`` ones had been left unfinished by a writer that was killed."""

    added: int = 0
    resumed: int = 0
    unchanged: int = 0
    retired: int = 0

    def __str__(self) -> str:
        return f"{self.added} added, {self.resumed} resumed, {self.unchanged} unchanged, {self.retired} retired"


def sync(study: str, uri: str, results: Path, source_commit: str | None = None, stages: Sequence[str] = ()) -> Counts:
    """Make the runs of a study in MLflow what its records on disk say.

    Every record becomes one run, known by the tags ``gamtune.key`` (which training) and ``gamtune.record`` (sha256 of
    its bytes). A changed record replaces its run; a training that left the table takes its run along. One more run
    holds the tables, figures and report. May be killed at any time: the next sync finishes the work.

    Parameters
    ----------
    study : str
        Name of the study, its folder and its experiment.
    uri : str
        The tracking store: ``sqlite:///path`` or the address of a server.
    results : Path
        Folder of all studies.
    source_commit : str, optional
        Git commit that the new runs name as their source.
    stages : sequence of str
        Folders of the study's rounds or rungs.

    Raises
    ------
    TrackingError
        If the store cannot be reached, read or written.
    """
    with open_store(study, uri, results) as store:
        summary = study_content(study, results)
        return sync_runs(store, results, source_commit, [summary] if summary else [], stages)


def sync_runs(
    store: Store,
    results: Path,
    source_commit: str | None,
    others: list[RunContent],
    stages: Sequence[str],
    stopped: Callable[[], bool] = lambda: False,
) -> Counts:
    """Bring the runs of all records, and the ``others``, up to date in an open store; between two runs it may stop."""
    found = read_study(store.study, results, stages)
    contents = [record_content(record, found.varying) for record in found.runs] + others
    stored: dict[str, list[StoredRun]] = defaultdict(list)
    for run in list_runs(store):
        stored[run.key].append(run)
    done: dict[str, int] = defaultdict(int)
    for content in contents:
        if stopped():
            return Counts(**done)
        deed, outdated = _sync_run(store, content, stored.pop(content.key, []), source_commit)
        done[deed] += 1
        for run in outdated:
            retire_run(store, run, "superseded")
            done["retired"] += 1
    for key, runs in stored.items():
        missing_table = key.startswith("trial/") and not found.has_table
        if key in found.awaited or key == "study" or missing_table:
            continue
        for run in runs:
            retire_run(store, run, "removed")
            done["retired"] += 1
    return Counts(**done)


def _sync_run(
    store: Store, content: RunContent, stored: list[StoredRun], source_commit: str | None
) -> tuple[str, list[StoredRun]]:
    """Find or write the run of a content: what was done, and the runs of its key that it makes outdated."""
    same = [run for run in stored if run.digest == content.digest]
    if not same:
        fill_run(store, create_run(store, content, source_commit), content)
        return "added", stored
    kept = min(same, key=lambda run: run.running)  # a finished one, if there is
    if kept.running:
        fill_run(store, kept.run_id, content)
    else:
        amend_run(store, kept, content)
    return ("resumed" if kept.running else "unchanged"), [run for run in stored if run is not kept]

"""Showing a study in MLflow while it runs: a sync of what changed every few seconds."""

import signal
import sys
import threading
import time
from collections.abc import Collection
from pathlib import Path

from gamtune.errors import DamagedError
from gamtune.runtime.parent import is_alive
from gamtune.tracking.address import TrackingError
from gamtune.tracking.records import fingerprint
from gamtune.tracking.store import open_store
from gamtune.tracking.study import TrackedStudy
from gamtune.tracking.sync import Deeds, sync_runs, write_view

SHARE = 0.2  # of one core at most, as long as a trial is not kept waiting for it
LONGEST_PAUSE = 5.0  # seconds
GRACE = 8  # seconds to finish the run that is being written when the follower is told to end
FEW = 50  # records; to look for each of more takes longer than to list all runs


def follow(study: TrackedStudy, parent_pid: int, seconds: float = 2, first: float | None = None) -> None:
    """Sync whenever records changed, until the parent process is gone or SIGTERM or SIGINT comes.

    The first pass looks at everything, and so does one after the table or a round changed; the others look at the
    records that changed alone. A failing pass prints one line, once, and is tried again. The study's own run, with its
    tables and figures, is left to the `sync` at the end: each of its versions would be replaced within minutes.

    Parameters
    ----------
    study : TrackedStudy
        The study.
    parent_pid : int
        The process to outlive by no more than one pause: Snakemake's.
    seconds : float
        Shortest time between two passes.
    first : float, optional
        Time until the first pass, which imports MLflow; by default ``seconds``.
    """
    stop = threading.Event()

    def end(*_: object) -> None:
        stop.set()
        signal.alarm(GRACE)  # a killed pass is made good by the next sync

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    synced: dict[Path, tuple[int, int]] = {}
    complaint, pause = "", seconds if first is None else first
    while not stop.wait(pause) and is_alive(parent_pid):
        began = time.process_time()
        try:
            now = fingerprint(study)
            if now == synced:
                continue
            only = _changed_records(synced, now)
            with open_store(study) as store:
                contents = sync_runs(store, Deeds(), [], only, stop.is_set)
                if only is None:
                    write_view(store, contents)
            synced, complaint = now, ""
        except (TrackingError, DamagedError) as error:  # a step that reads the damaged file ends the run
            if str(error) != complaint:
                print(error, file=sys.stderr, flush=True)
            complaint = str(error)
        pause = min(max(seconds, (time.process_time() - began) / SHARE), max(seconds, LONGEST_PAUSE))


def _changed_records(before: dict[Path, tuple[int, int]], now: dict[Path, tuple[int, int]]) -> Collection[Path] | None:
    """The records that are new or changed; None where that is not all that changed, or they are many."""
    changed = {path for path, stamp in now.items() if before.get(path) != stamp}
    same_rows = bool(before) and before.keys() <= now.keys() and all(path.suffix == ".json" for path in changed)
    return changed if same_rows and len(changed) <= FEW else None

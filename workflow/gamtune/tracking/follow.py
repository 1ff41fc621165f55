"""Showing a study in MLflow while it runs: a sync every few seconds for as long as records change."""

import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from gamtune.tracking.address import TrackingError
from gamtune.tracking.records import fingerprint
from gamtune.tracking.store import open_store
from gamtune.tracking.sync import sync_runs

SHARE = 0.2  # of one core at most: a pass over a thousand trials takes seconds that the trainings need


def follow(
    study: str,
    uri: str,
    results: Path,
    parent_pid: int,
    seconds: float = 5,
    source_commit: str | None = None,
    stages: Sequence[str] = (),
) -> None:
    """Sync whenever records changed, until the parent process is gone or SIGTERM or SIGINT comes.

    A failing pass prints one line, once, and is tried again. The study's own run, with its tables and figures, is left
    to the `sync` at the end: each of its versions would be replaced within minutes.

    Parameters
    ----------
    study, uri, results, source_commit, stages
        As in `sync`.
    parent_pid : int
        The process to outlive by no more than one pause: Snakemake's.
    seconds : float
        Shortest time between two passes.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    synced, complaint, pause = None, "", seconds
    while not stop.wait(pause) and _is_alive(parent_pid):
        now = fingerprint(study, results, stages)
        if now == synced:
            continue
        began = time.process_time()
        try:
            with open_store(study, uri, results) as store:
                sync_runs(store, results, source_commit, [], stages, stopped=stop.is_set)
            synced, complaint = now, ""
        except TrackingError as error:
            if str(error) != complaint:
                print(error, file=sys.stderr, flush=True)
            complaint = str(error)
        pause = max(seconds, (time.process_time() - began) / SHARE)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it lives, and is another user's
        return True
    return True

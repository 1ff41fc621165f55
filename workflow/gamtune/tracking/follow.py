"""The follower: syncs the changed records of a running study to MLflow every few seconds."""

import os
import select
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Collection
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from gamtune.errors import DamagedError
from gamtune.runtime.parent import is_alive
from gamtune.runtime.worker import HEADER_BYTES, Arrival, JobEndedError, is_own
from gamtune.tracking.address import TrackingError
from gamtune.tracking.records import fingerprint
from gamtune.tracking.store import open_store
from gamtune.tracking.study import TrackedStudy
from gamtune.tracking.sync import Actions, sync_runs, write_view

SHARE = 0.1  # largest share of one core, if the pause between two passes is not longer than LONGEST_PAUSE
LONGEST_PAUSE = 5.0  # seconds
GRACE = 8  # seconds to finish the run that is being written when SIGTERM or SIGINT arrives
FEW = 50  # records; for more, listing all runs takes less time than searching for each run


def follow(
    study: TrackedStudy,
    parent_pid: int,
    seconds: float = 2,
    first: float | None = None,
    listener: socket.socket | None = None,
) -> None:
    """Sync whenever records have changed, until the parent process ends or SIGTERM or SIGINT arrives.

    The first pass, and each pass after a change of the table or of a round, reads all records; the other passes read
    the changed records only. A failing pass prints one line and is repeated; the same line is not printed twice in a
    row. The run of the study itself, which holds its tables and figures, is written by the `sync` at the end, because
    each of its versions would be replaced within minutes.

    Parameters
    ----------
    study : TrackedStudy
        The study.
    parent_pid : int
        Process id of Snakemake; the follower ends at most one pause after it.
    seconds : float
        Shortest time between two passes, in seconds.
    first : float, optional
        Time until the first pass, which imports MLflow, in seconds; by default ``seconds``.
    listener : socket, optional
        Socket on which jobs request a sync in this process.
    """
    stop = threading.Event()
    woken, wake = socket.socketpair()

    def end(*_: object) -> None:
        stop.set()
        wake.send(b"x")
        signal.alarm(GRACE)  # the next sync completes a pass that is killed

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    synced: dict[Path, tuple[int, int]] = {}
    last_error, pause = "", seconds if first is None else first
    while True:
        ready, _, _ = select.select([woken, *([listener] if listener else [])], [], [], pause)
        if stop.is_set() or not is_alive(parent_pid):
            return
        if listener in ready:
            _serve(listener)
            continue
        began = time.process_time()
        try:
            now = fingerprint(study)
            if now == synced:
                continue
            only = _changed_records(synced, now)
            with open_store(study) as store:
                contents = sync_runs(store, Actions(), [], only, stop.is_set)
                if only is None:
                    write_view(store, contents)
            synced, last_error = now, ""
        except (TrackingError, DamagedError) as error:  # a damaged file also fails the step that reads it
            if str(error) != last_error:
                print(error, file=sys.stderr, flush=True)
            last_error = str(error)
        pause = min(max(seconds, (time.process_time() - began) / SHARE), max(seconds, LONGEST_PAUSE))


def _serve(listener: socket.socket | None) -> None:
    """Run the command of a job in this process, with the output of the job, and send the exit code."""
    assert listener is not None
    connection = listener.accept()[0]
    with connection:
        if not is_own(connection):
            return
        try:
            header, descriptors, _, _ = socket.recv_fds(connection, HEADER_BYTES, 2)
        except OSError:
            return
        if len(header) < HEADER_BYTES or len(descriptors) < 2:  # the job has ended
            return
        arrival, own = Arrival(header, connection, (descriptors[0], descriptors[1])), (os.dup(1), os.dup(2))
        try:
            request = arrival.request()
            arrival.redirect()
            module, _, function = request["function"].partition(":")
            code = getattr(import_module(module), function)(request["argument"])
        except JobEndedError:
            return
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        except Exception:
            traceback.print_exc()
            code = 1
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for descriptor, standard in zip(own, (1, 2), strict=True):
                os.dup2(descriptor, standard)
                os.close(descriptor)
        with suppress(OSError):  # the job was killed
            connection.sendall(f"{code}\n".encode())


def _changed_records(before: dict[Path, tuple[int, int]], now: dict[Path, tuple[int, int]]) -> Collection[Path] | None:
    """Return the new or changed records; None if other files have changed too or there are more than `FEW` records."""
    changed = {path for path, stamp in now.items() if before.get(path) != stamp}
    same_trials = bool(before) and before.keys() <= now.keys() and all(path.suffix == ".json" for path in changed)
    return changed if same_trials and len(changed) <= FEW else None

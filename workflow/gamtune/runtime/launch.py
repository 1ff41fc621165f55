"""Train one trial in a child process and store its files; the end of the child is recorded even if it is killed."""

import contextlib
import json
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

from gamtune.errors import StepError
from gamtune.files import write_text
from gamtune.results.dataset import DatasetInfo
from gamtune.results.record import MODEL, STATE, failure, identity
from gamtune.results.store import Stored, keep, new_folder, take_out
from gamtune.runtime.child import FAILED, NO_FILES, NO_MEMORY, Child, ChildLostError, Forked, Task
from gamtune.runtime.environment import describe_disk_error
from gamtune.runtime.gpu import gpu_slot
from gamtune.runtime.training_code import training_code
from gamtune.runtime.warm import send_trial
from gamtune.spec import Spec

STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class LaunchError(StepError):
    """The trial could not be trained and nothing was recorded, so the job fails and may be repeated."""


def launch(
    spec: Spec,
    data_info: Path,
    record: Path,
    store: Path,
    attempt: int,
    attempts: int,
    leaves: tuple[str, ...] = (MODEL,),
    continues: int = 0,
) -> None:
    """Train a trial unless the store contains it, and copy its record and model from the store.

    Parameters
    ----------
    spec : Spec
        The specification of the trial.
    data_info : Path
        ``dataset.json`` of the data.
    record : Path
        Path for the record; the model is written to the same folder.
    store : Path
        Store of all finished trials.
    attempt, attempts : int
        Number of this attempt, and number of all attempts. A trial that is killed or lacks memory is recorded as failed
        only in its last attempt.
    leaves : tuple of str
        Files that are needed besides the record: `MODEL`, `STATE`. A trial whose model is not in the store is trained
        again; a missing state does not cause a training.
    continues : int
        If this is positive and the store contains the state of this trial after so many epochs, the training resumes
        from there.

    Raises
    ------
    LaunchError
        If files are missing, the disk is full or read-only, the installation is broken, or an attempt was killed that
        is not the last.
    """
    try:
        data = DatasetInfo.read(data_info).fingerprint
    except FileNotFoundError:
        raise LaunchError(f"{data_info}: no such file; prepare the data first") from None
    code = training_code()
    stored = Stored(store, spec, data, code)
    try:
        reason = ""
        if not _holds(stored, leaves):
            earlier = _earlier(replace(stored, spec=replace(spec, epochs=continues))) if continues else None
            reason = _train_into(Task(spec, data_info, code, attempt, stored.folder, {}, leaves, earlier))
        if not reason:
            take_out(stored.folder, record, MODEL in leaves)
        elif attempt < attempts:
            raise LaunchError(f"{reason} in attempt {attempt} of {attempts}")
        else:
            content = identity(spec, data, code, attempt)
            _record_failure(content, f"{reason} in each of {attempts} attempts", record)
    except OSError as error:
        raise LaunchError(describe_disk_error(error) or str(error)) from None


def _holds(stored: Stored, leaves: tuple[str, ...]) -> bool:
    """Return whether the store contains a trial with the files that are needed; a failed trial has no model."""
    status = stored.status()
    return status is not None and (MODEL not in leaves or status != "ok" or stored.has(MODEL))


def _earlier(stored: Stored) -> Path | None:
    """Return the folder of a trial whose state is intact, or None."""
    return stored.folder if stored.status() is not None and stored.has(STATE) else None


def _train_into(task: Task) -> str:
    """Train in a child and move its files into the store; return why this failed, or an empty text."""
    with gpu_slot() as variables:
        task = replace(task, variables=variables)
        try:
            end = _train_in(lambda task: send_trial(task) or Forked(task), task)
        except ChildLostError:
            print("the server of workers does not respond; training in a separate process", file=sys.stderr)
            end = _train_in(Forked, task)
    return _killed(end) if end else ""


def _train_in(start: Callable[[Task], Child], task: Task) -> int:
    """Train in a child, in a new folder, and return its exit code."""
    with new_folder(task.folder.parent) as part:
        end = _wait_for(start(replace(task, folder=part)))
        if end in (FAILED, NO_FILES):
            raise LaunchError("the trial could not be trained; see the error above")
        if end == 0:
            keep(part, task.folder)
    return end


def _record_failure(content: dict[str, Any], reason: str, record: Path) -> None:
    """Write the record of a trial that was killed before it could write one; it does not enter the store."""
    now = time.time()
    content |= failure(reason) | {"started": now, "finished": now, "seconds": 0.0}
    record.with_name(MODEL).unlink(missing_ok=True)
    write_text(record, json.dumps(content, indent=1) + "\n")


def _killed(end: int) -> str:
    """Return a description of the exit code of a trial."""
    if end == NO_MEMORY:
        return "out of memory"
    if end == -signal.SIGKILL:
        return "killed by signal 9 (SIGKILL), which usually means that the machine ran out of memory,"
    return f"killed by signal {-end} ({signal.Signals(-end).name})" if end < 0 else f"ended with exit code {end}"


def _wait_for(child: Child) -> int:
    """Wait for a child and return its exit code; if a signal stops this process, the child is killed first."""
    stopping = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopping
        if stopping:  # a second signal, such as that of an ending parent, must not interrupt the handling of the first
            return
        stopping = True
        child.kill()
        with contextlib.suppress(ChildLostError):
            child.wait()
        raise SystemExit(128 + number)

    handled = [number for number in STOPPING if signal.getsignal(number) is not signal.SIG_IGN]  # nohup ignores SIGHUP
    previous = {number: signal.signal(number, stop) for number in handled}
    try:
        return child.wait()
    finally:
        if not stopping:
            for number, handler in previous.items():
                signal.signal(number, handler)

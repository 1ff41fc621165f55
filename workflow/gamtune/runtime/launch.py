"""Runs one training in a child process, so that whatever happens to it can be told and recorded."""

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
from gamtune.runtime.warm import ask_trainer
from gamtune.spec import Spec

STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class LaunchError(StepError):
    """The training could not be done and nothing was recorded: the job has to fail, or be tried again."""


def launch(
    spec: Spec,
    digest_file: Path,
    record: Path,
    store: Path,
    attempt: int,
    attempts: int,
    leaves: tuple[str, ...] = (MODEL,),
    continues: int = 0,
) -> None:
    """Take the training from the store, or train it there, and put its record and model in place.

    Parameters
    ----------
    spec : Spec
        The training.
    digest_file : Path
        ``digest.json`` of the data.
    record : Path
        Where the record goes; its model goes beside it.
    store : Path
        Folder of all finished trainings.
    attempt, attempts : int
        This is attempt number ``attempt`` of ``attempts``: one that is killed or lacks memory is recorded as failed
        only when it is the last.
    leaves : tuple of str
        What is wanted beside the record: `MODEL`, `STATE`. A model that the store lacks is trained again; a state is
        only left by a training that is done anyway.
    continues : int
        Epochs after which the store may hold the state of this training, which then goes on from there.

    Raises
    ------
    LaunchError
        If files are missing, the disk is full or read-only, the installation is broken, or an attempt was killed and
        another may follow.
    """
    try:
        data = DatasetInfo.read(digest_file).digest
    except FileNotFoundError:
        raise LaunchError(f"{digest_file} is missing: make the data first") from None
    code = training_code()
    stored = Stored(store, spec, data, code)
    try:
        reason = ""
        if not _holds(stored, leaves):
            known = _earlier(replace(stored, spec=replace(spec, epochs=continues))) if continues else None
            reason = _train_into(Task(spec, digest_file, code, attempt, stored.folder, {}, leaves, known))
        if not reason:
            take_out(stored.folder, record, MODEL in leaves)
        elif attempt < attempts:
            raise LaunchError(f"{reason} in attempt {attempt} of {attempts}")
        else:
            said = identity(spec, data, code, attempt)
            _record_failure(said, f"{reason} in each of {attempts} attempts", record)
    except OSError as error:
        raise LaunchError(describe_disk_error(error) or str(error)) from None


def _holds(stored: Stored, leaves: tuple[str, ...]) -> bool:
    """Whether the store has a training with all that is wanted of it; a failed one has no model."""
    status = stored.status()
    return status is not None and (MODEL not in leaves or status != "ok" or stored.has(MODEL))


def _earlier(stored: Stored) -> Path | None:
    """Folder of a training whose state is intact, if the store has one."""
    return stored.folder if stored.status() is not None and stored.has(STATE) else None


def _train_into(task: Task) -> str:
    """Train in a child and put what it leaves into the store; what ended it otherwise, empty where nothing did."""
    with gpu_slot() as variables:
        task = replace(task, variables=variables)
        try:
            end = _train_in(lambda task: ask_trainer(task) or Forked(task), task)
        except ChildLostError:
            print("the warm trainer does not answer; training in a process of its own", file=sys.stderr)
            end = _train_in(Forked, task)
    return _killed(end) if end else ""


def _train_in(start: Callable[[Task], Child], task: Task) -> int:
    """Train in a child, in a folder that no other child writes to, and return its exit code."""
    with new_folder(task.folder.parent) as part:
        end = _wait_for(start(replace(task, folder=part)))
        if end in (FAILED, NO_FILES):
            raise LaunchError("the training ended with an error that is not its own, see above")
        if end == 0:
            keep(part, task.folder)
    return end


def _record_failure(said: dict[str, Any], reason: str, record: Path) -> None:
    """Write a record for a training that could not write its own; it is not put into the store."""
    now = time.time()
    said |= failure(reason) | {"started": now, "finished": now, "seconds": 0.0}
    record.with_name(MODEL).unlink(missing_ok=True)
    write_text(record, json.dumps(said, indent=1) + "\n")


def _killed(end: int) -> str:
    """What ended a training, in words."""
    if end == NO_MEMORY:
        return "out of memory"
    if end == -signal.SIGKILL:
        return "killed by signal 9 (SIGKILL), as the kernel does when memory runs out,"
    return f"killed by signal {-end} ({signal.Signals(-end).name})" if end < 0 else f"ended with exit code {end}"


def _wait_for(child: Child) -> int:
    """How it ended; if this process is told to stop, the child goes first."""
    stopping = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopping
        if stopping:  # a second signal, from a parent that ends meanwhile, must not disturb the first
            return
        stopping = True
        child.kill()
        with contextlib.suppress(ChildLostError):
            child.wait()
        raise SystemExit(128 + number)

    heeded = [number for number in STOPPING if signal.getsignal(number) is not signal.SIG_IGN]  # nohup ignores SIGHUP
    previous = {number: signal.signal(number, stop) for number in heeded}
    try:
        return child.wait()
    finally:
        if not stopping:
            for number, handler in previous.items():
                signal.signal(number, handler)

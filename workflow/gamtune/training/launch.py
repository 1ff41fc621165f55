"""Runs one training in a child process, so that whatever happens to it can be told and recorded."""

import errno
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from gamtune.closure import code_digest
from gamtune.data.arrays import Prepared
from gamtune.files import write_text
from gamtune.spec import Spec
from gamtune.training.store import keep, new_folder, store_key, take_out
from gamtune.training.trial import MODEL, RECORD, failure, identity, run_trial

FAILED, NO_FILES, NO_MEMORY = 1, 3, 4  # exit codes of the child


class LaunchError(Exception):
    """The training could not be done and nothing was recorded: the job has to fail, or be tried again."""


def launch(spec: Spec, digest_file: Path, record: Path, store: Path, attempt: int, attempts: int) -> None:
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

    Raises
    ------
    LaunchError
        If files are missing, the disk is full or read-only, the installation is broken, or an attempt was killed and
        another may follow.
    """
    try:
        data = Prepared.open(digest_file)
    except FileNotFoundError:
        raise LaunchError(f"{digest_file} is missing: make the data first") from None
    code = code_digest("gamtune.training.trial")
    try:
        folder = store / store_key(spec, data.digest, code)
        reason = "" if (folder / RECORD).exists() else _train_into(folder, spec, data, code, attempt)
        if not reason:
            take_out(folder, record)
        elif attempt < attempts:
            raise LaunchError(f"{reason} in attempt {attempt} of {attempts}")
        else:
            said = identity(spec, data.digest, code, attempt)
            _record_failure(said, f"{reason} in each of {attempts} attempts", record)
    except OSError as error:
        raise LaunchError(str(error)) from None


def _train_into(folder: Path, spec: Spec, data: Prepared, code: str, attempt: int) -> str:
    """Train in a child and put what it leaves into the store; what ended it otherwise, empty where nothing did."""
    with new_folder(folder.parent) as part:
        end = _in_child(lambda: run_trial(spec, data, code, attempt, part))
        if end in (FAILED, NO_FILES):
            raise LaunchError("the training ended with an error that is not its own, see above")
        if end == 0:
            keep(part, folder)
    return _killed(end) if end else ""


def _record_failure(said: dict[str, Any], reason: str, record: Path) -> None:
    """Write a record for a training that could not write its own; it is not put into the store."""
    now = time.time()
    said |= failure(reason) | {"started": now, "finished": now, "seconds": 0.0}
    record.with_name(MODEL).unlink(missing_ok=True)
    write_text(record, json.dumps(said, indent=1) + "\n")


def _killed(end: int) -> str:
    if end == NO_MEMORY:
        return "out of memory"
    return f"killed by signal {-end} ({signal.Signals(-end).name})" if end < 0 else f"ended with exit code {end}"


def _in_child(training: Callable[[], None]) -> int:
    """Train in a forked child; its exit code, negative when a signal ended it."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        os._exit(_train_here(training))

    def pass_on(number: int, frame: FrameType | None) -> None:
        os.kill(child, signal.SIGKILL)  # nothing it has begun is needed: only whole folders enter the store
        os.waitpid(child, 0)
        raise SystemExit(128 + number)

    previous = {number: signal.signal(number, pass_on) for number in (signal.SIGTERM, signal.SIGINT)}
    _, status = os.waitpid(child, 0)
    for number, handler in previous.items():
        signal.signal(number, handler)
    return os.waitstatus_to_exitcode(status)


def _train_here(training: Callable[[], None]) -> int:
    """The child's whole life."""
    _die_with_parent()
    try:
        training()
    except OSError as error:
        if error.errno == errno.ENOMEM:
            return NO_MEMORY
        print(error, file=sys.stderr)
        return NO_FILES
    except MemoryError as error:
        print(f"out of memory: {error}", file=sys.stderr)
        return NO_MEMORY
    except BaseException:
        traceback.print_exc()
        return FAILED
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def _die_with_parent() -> None:
    """Ask Linux to kill this process with its parent, so that a killed job leaves none behind."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # 1: PR_SET_PDEATHSIG

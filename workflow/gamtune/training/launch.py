"""Runs one training in a child process, so that whatever happens to it can be told and recorded."""

import errno
import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path
from types import FrameType

from gamtune.closure import code_digest
from gamtune.data.arrays import Prepared
from gamtune.files import write_text
from gamtune.spec import Spec
from gamtune.training import store as training_store
from gamtune.training.trial import RECORD, failure, identity, run_trial

NO_FILES, NO_MEMORY = 3, 4  # exit codes of the child


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
        If files are missing, the disk is full or read-only, or an attempt was killed and another may follow.
    """
    try:
        data = Prepared.open(digest_file)
    except FileNotFoundError:
        raise LaunchError(f"{digest_file} is missing: make the data first") from None
    code = code_digest("gamtune.training.trial")
    folder = store / training_store.store_key(spec, data.digest, code)
    if not (folder / RECORD).exists():
        end = _in_child(spec, data, code, attempt, store, folder.name)
        if end == NO_FILES:
            raise LaunchError("the data's or the results' files cannot be read or written, see above")
        if end:
            reason = _killed(end)
            if attempt < attempts:
                raise LaunchError(f"{reason} in attempt {attempt} of {attempts}")
            now = time.time()
            said = identity(spec, data.digest, code, attempt) | failure(f"{reason} in each of {attempts} attempts")
            said |= {"started": now, "finished": now, "seconds": 0.0}
            write_text(record, json.dumps(said, indent=1) + "\n")
            return
    training_store.take_out(folder, record)


def _killed(end: int) -> str:
    if end == NO_MEMORY:
        return "out of memory"
    return f"killed by signal {-end} ({signal.Signals(-end).name})" if end < 0 else f"ended with exit code {end}"


def _in_child(spec: Spec, data: Prepared, code: str, attempt: int, store: Path, key: str) -> int:
    """Train in a forked child; its exit code, negative when a signal ended it."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        os._exit(_train_here(spec, data, code, attempt, store, key))

    def pass_on(number: int, frame: FrameType | None) -> None:
        os.kill(child, signal.SIGKILL)  # nothing it has begun is needed: only whole folders enter the store
        os.waitpid(child, 0)
        raise SystemExit(128 + number)

    previous = {number: signal.signal(number, pass_on) for number in (signal.SIGTERM, signal.SIGINT)}
    _, status = os.waitpid(child, 0)
    for number, handler in previous.items():
        signal.signal(number, handler)
    return os.waitstatus_to_exitcode(status)


def _train_here(spec: Spec, data: Prepared, code: str, attempt: int, store: Path, key: str) -> int:
    """The child's whole life."""
    _die_with_parent()
    try:
        training_store.add(store, key, lambda folder: run_trial(spec, data, code, attempt, folder))
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
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def _die_with_parent() -> None:
    """Ask Linux to kill this process with its parent, so that a killed job leaves none behind."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # 1: PR_SET_PDEATHSIG

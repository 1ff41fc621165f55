"""A training in a process of its own, so that whatever happens to it can be told and recorded."""

import errno
import os
import shutil
import signal
import sys
import traceback
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from gamtune.errors import DamagedError
from gamtune.results.record import MODEL
from gamtune.runtime.environment import describe_disk_error
from gamtune.runtime.parent import die_with_parent
from gamtune.spec import Spec

DATA, TRIAL = "gamtune.data.intact", "gamtune.learners.trial"
FAILED, NO_FILES, NO_MEMORY = 1, 3, 4  # exit codes
FIRST_FOR_THE_KERNEL = 800  # of 1000: where memory runs out, it kills the training, not the run or the warm trainer


class ChildLostError(Exception):
    """Nobody can tell any more how a training ended."""


@dataclass(frozen=True)
class Task:
    """One training, the folder for its record, what is left beside it, and where an earlier part of it stands."""

    spec: Spec
    digest_file: Path
    code: str
    attempt: int
    folder: Path
    variables: dict[str, str]  # of its environment, beside this process' own
    leaves: tuple[str, ...] = (MODEL,)
    earlier: Path | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as builtin types and paths, of which `from_json` makes an equal task."""
        return asdict(self) | {"spec": self.spec.to_json()}

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> "Task":
        """Return the task that `to_json` described."""
        paths = {name: said[name] and Path(said[name]) for name in ("digest_file", "folder", "earlier")}
        return cls(**said | paths | {"spec": Spec.from_json(said["spec"])})


class Child(Protocol):
    """A running training."""

    def kill(self) -> None:
        """End it at once: nothing it has begun is needed, since only whole folders enter the store."""

    def wait(self) -> int:
        """Wait for its end; its exit code, negative when a signal ended it.

        Raises
        ------
        ChildLostError
            If the process that ran it has gone.
        """


class Forked:
    """A training in a child of this process."""

    def __init__(self, task: Task) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        self._pid = os.fork()
        if self._pid == 0:
            os._exit(run_task(task, parent))

    def kill(self) -> None:
        """End it at once."""
        os.kill(self._pid, signal.SIGKILL)

    def wait(self) -> int:
        """Its exit code."""
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])


def become_child(parent: int) -> None:
    """Let a process that was forked for one piece of work by the process ``parent`` end with it or on any signal."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    die_with_parent(signal.SIGKILL, parent)
    _offer_to_the_kernel()


def run_served_task(said: dict[str, Any], parent: int) -> int:
    """Train as a child of the warm trainer; for the rest see `run_task`."""
    return run_task(Task.from_json(said), parent)


def run_task(task: Task, parent: int) -> int:
    """Train in a process that was forked for it by the process ``parent``, and return its exit code."""
    become_child(parent)
    os.environ |= task.variables
    try:
        _train(task)
    except OSError as error:
        if error.errno == errno.ENOMEM:
            return NO_MEMORY
        error.filename = error.filename or str(task.folder)
        print(describe_disk_error(error) or error, file=sys.stderr)
        return NO_FILES
    except DamagedError as error:
        print(error, file=sys.stderr)
        return NO_FILES
    except MemoryError as error:
        print(f"out of memory: {error}", file=sys.stderr)
        return NO_MEMORY
    except BaseException:
        traceback.print_exc()
        if not shutil.disk_usage(task.folder).free:  # h5py does not always tell why it could not write
            print(f"{task.folder}: {os.strerror(errno.ENOSPC)}", file=sys.stderr)
        return FAILED
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def _train(task: Task) -> None:
    # Imported by name: this package does not depend on learners, and only the process that trains imports TensorFlow
    data = import_module(DATA).open_intact(task.digest_file, ("train", "validation"))
    trial = import_module(TRIAL)
    trial.run_trial(task.spec, data, task.code, task.attempt, task.folder, task.leaves, task.earlier)


def _offer_to_the_kernel() -> None:
    try:
        Path("/proc/self/oom_score_adj").write_text(str(FIRST_FOR_THE_KERNEL))
    except OSError:
        return  # not Linux, or not allowed: the kernel chooses by itself

"""A trial in a child process, so that its end can be reported and recorded even if the process is killed."""

import errno
import os
import shutil
import signal
import sys
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
# Out-of-memory score (0 to 1000): the kernel kills a trial before it kills Snakemake or the server of workers
OOM_SCORE = 800


class ChildLostError(Exception):
    """It is not known how a trial ended, because the process that ran it has ended."""


@dataclass(frozen=True)
class Task:
    """A trial to train, and its folders.

    Attributes
    ----------
    spec : Spec
        The specification of the trial.
    data_info : Path
        ``dataset.json`` of the data.
    code : str
        Fingerprint of the training code.
    attempt : int
        Number of the attempt, from 1.
    folder : Path
        Folder for the record and the other files.
    variables : dict
        Environment variables of the child in addition to those of this process.
    leaves : tuple of str
        Files to write besides the record: `MODEL`, `STATE`.
    earlier : Path, optional
        Folder with the record and the state of the same trial after fewer epochs.
    """

    spec: Spec
    data_info: Path
    code: str
    attempt: int
    folder: Path
    variables: dict[str, str]
    leaves: tuple[str, ...] = (MODEL,)
    earlier: Path | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the task as builtin types and paths; `from_json` returns an equal task."""
        return asdict(self) | {"spec": self.spec.to_json()}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Task":
        """Return the task from the result of `to_json`."""
        paths = {name: content[name] and Path(content[name]) for name in ("data_info", "folder", "earlier")}
        return cls(**content | paths | {"spec": Spec.from_json(content["spec"])})


class Child(Protocol):
    """A running trial."""

    def kill(self) -> None:
        """Kill the process of the trial; its files are not needed, since only complete folders enter the store."""

    def wait(self) -> int:
        """Wait for the end of the process and return its exit code; minus the number of a signal that ended it.

        Raises
        ------
        ChildLostError
            If the process that ran the trial has ended.
        """


class Forked:
    """A trial in a child of this process."""

    def __init__(self, task: Task) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        self._pid = os.fork()
        if self._pid == 0:
            os._exit(run_task(task, parent))

    def kill(self) -> None:
        """Kill the child."""
        os.kill(self._pid, signal.SIGKILL)

    def wait(self) -> int:
        """Wait for the end of the child and return its exit code."""
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])


def become_child(parent: int) -> None:
    """Let this forked process end with the process ``parent``, and on SIGTERM, SIGINT and SIGHUP."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    die_with_parent(signal.SIGKILL, parent)
    _raise_oom_score()


def run_served_task(content: dict[str, Any], parent: int) -> int:
    """Run the task that `Task.to_json` returned in a worker of the server; see `run_task`."""
    return run_task(Task.from_json(content), parent)


def run_task(task: Task, parent: int) -> int:
    """Train in this process, which was forked by the process ``parent``, and return the exit code.

    Returns
    -------
    int
        0 if there is a record, `NO_MEMORY` or `NO_FILES` for missing resources, and `FAILED` for other errors.
    """
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
        import traceback  # imported if needed, because every job imports this module

        traceback.print_exc()
        if not shutil.disk_usage(task.folder).free:  # h5py does not always report a full disk
            print(f"{task.folder}: {os.strerror(errno.ENOSPC)}", file=sys.stderr)
        return FAILED
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def _train(task: Task) -> None:
    # Imported by name, because this package is below learners, and only the training process imports TensorFlow
    data = import_module(DATA).open_intact(task.data_info, ("train", "validation"))
    trial = import_module(TRIAL)
    trial.run_trial(task.spec, data, task.code, task.attempt, task.folder, task.leaves, task.earlier)


def _raise_oom_score() -> None:
    try:
        Path("/proc/self/oom_score_adj").write_text(str(OOM_SCORE))
    except OSError:
        return  # the system is not Linux, or does not allow it

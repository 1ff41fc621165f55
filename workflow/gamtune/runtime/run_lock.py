"""The run lock: at most one run, or one command that deletes results, is active in a folder at a time.

The kernel releases the lock when its holder ends or is killed. Snakemake's lock does not suffice: it is a list of files
without a process id, which remains after ``kill -9``, and which is deleted at the end of any run together with the
lists of all other runs. filelock is not used, because it has no shared lock for processes that only read the state, and
no description of a holder on another machine.
"""

import errno
import fcntl
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from gamtune.errors import InputError
from gamtune.files import remove_parts

LOCK = Path(".snakemake/running")
SNAKEMAKE_LOCKS = Path(".snakemake/locks")
BEAT = 4.0  # seconds after which the holder touches the lock file again
PATIENCE, PAUSE = 1.0, 0.05  # seconds; a process that reads the state of the lock holds it for a moment
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


class NoLocksError(InputError):
    """The file system does not provide locks."""


def run_alone(workflow: Any, study: str, folder: Path) -> None:
    """Let a workflow execute jobs or delete outputs only while it holds the run lock.

    Snakemake calls `onstart` after it has taken its lock, and only in `Workflow.execute` it is known that this is
    neither a dry run nor a report. Therefore that method is wrapped. It takes the run lock, so that no other run can be
    active, and then removes the files that a killed run has left, including Snakemake's lock. If another run is active,
    the process prints one line and ends with exit code 2.

    Parameters
    ----------
    workflow : snakemake.workflow.Workflow
        The workflow of the main process; a job that reads the Snakefile again must not call this function.
    study : str
        Name of the study.
    folder : Path
        The study's folder of results.
    """
    execute, delete = workflow.execute, workflow.delete_output

    def execute_alone(executor_plugin: Any, *arguments: Any, **keywords: Any) -> None:
        with nullcontext() if executor_plugin.common_settings.dryrun_exec else _alone(study, folder):
            execute(executor_plugin, *arguments, **keywords)

    def delete_alone(only_temp: bool = False, dryrun: bool = False) -> None:
        with nullcontext() if dryrun else _alone(study, folder):
            delete(only_temp, dryrun)

    workflow.execute, workflow.delete_output = execute_alone, delete_alone


@contextmanager
def _alone(study: str, folder: Path) -> Iterator[None]:
    with ExitStack() as stack:
        try:
            stack.enter_context(exclusive(f"study {study}"))
            _clear_snakemake_locks(folder)
            remove_parts(folder)
        except NoLocksError as error:
            print(error, file=sys.stderr)  # Snakemake's lock is kept
        except (InputError, OSError) as error:
            print(error, file=sys.stderr)
            raise SystemExit(2) from None
        yield


@contextmanager
def exclusive(holder: str) -> Iterator[None]:
    """Hold the run lock of the working directory within the block.

    Child processes do not inherit the lock, so that it is free after the end of this process. Some network file systems
    do not show locks to other machines. Therefore the holder also touches the file every few seconds, and if the last
    holder ran on another machine, the file is watched for `3 * BEAT` seconds before the lock counts as free.

    Parameters
    ----------
    holder : str
        Description of this process, such as "study wine", which other processes print while the lock is held.

    Raises
    ------
    InputError
        If another process holds the lock, or if the lock file cannot be written.
    """
    try:
        LOCK.parent.mkdir(exist_ok=True)
        file = LOCK.open("a+", encoding="utf-8")
    except OSError as error:
        raise InputError([error.strerror or str(error)], str(LOCK)) from None
    with file:
        if not _acquire(file, fcntl.LOCK_EX):
            raise InputError([_sentence(_wait_for_description(file))])
        last = _description(file)
        if _is_elsewhere(last) and _is_touched():
            raise InputError([_sentence(last)])
        try:
            _describe(file, holder)
        except OSError as error:
            raise InputError([error.strerror or str(error)], str(LOCK)) from None
        ended = threading.Event()
        thread = threading.Thread(target=_touch, args=(file.fileno(), ended), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            file.truncate(0)  # closing the file releases the lock


def _touch(descriptor: int, ended: threading.Event) -> None:
    while not ended.wait(BEAT):
        with suppress(OSError):
            os.utime(descriptor)


def _is_touched() -> bool:
    """Return whether another process touches the lock file."""
    before = LOCK.stat().st_mtime_ns
    print(f"The last run was on another machine; waiting {3 * BEAT:.0f} s to check that it has ended", file=sys.stderr)
    time.sleep(3 * BEAT)
    with LOCK.open(encoding="utf-8") as file:  # a network file system updates the time when a file is opened
        return os.fstat(file.fileno()).st_mtime_ns != before


def active_run() -> str:
    """Return a sentence that describes the run that is active in the working directory; empty if there is none."""
    try:
        with LOCK.open(encoding="utf-8") as file:
            return "" if _acquire(file, fcntl.LOCK_SH, 0) else _sentence(_wait_for_description(file))
    except (OSError, NoLocksError):
        return ""


def _acquire(file: IO[str], kind: int, patience: float = PATIENCE) -> bool:
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in NO_LOCKS:
                problem = "the file system does not provide locks; make sure that only one run is active in this folder"
                raise NoLocksError([problem], str(LOCK)) from None
            if time.monotonic() >= deadline:
                return False
            time.sleep(PAUSE)
        else:
            return True


def _describe(file: IO[str], holder: str) -> None:
    now = datetime.now().astimezone().isoformat(" ", "seconds")
    content = {"holder": holder, "pid": os.getpid(), "host": socket.gethostname(), "boot": _boot(), "since": now}
    file.truncate(0)
    os.write(file.fileno(), (json.dumps(content) + "\n").encode())


def _is_elsewhere(description: dict[str, Any]) -> bool:
    """Return whether a holder that has not ended normally ran on another machine."""
    here = socket.gethostname()
    return description.get("host", here) != here and description.get("boot") != (_boot() or None)


def _description(file: IO[str]) -> dict[str, Any]:
    """Return the description that the last holder wrote; empty if it ended normally."""
    file.seek(0)
    try:
        content = json.loads(file.read())
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _wait_for_description(file: IO[str]) -> dict[str, Any]:
    """Return the description of the present holder, which may not have written it yet."""
    deadline = time.monotonic() + PATIENCE
    while not (description := _description(file)) and time.monotonic() < deadline:
        time.sleep(PAUSE)
    return description


def _sentence(description: dict[str, Any]) -> str:
    holder, pid, host, since = (description.get(key, "unknown") for key in ("holder", "pid", "host", "since"))
    return f"another run is active in this folder: {holder}, PID {pid} on {host}, since {since}"


def _boot() -> str:
    """Return an identifier of the running kernel, which containers of one machine share; empty outside Linux."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _clear_snakemake_locks(folder: Path) -> None:
    """Remove Snakemake's locks on files of a study; the caller holds the run lock, so that no run uses them."""
    found = [path for path in SNAKEMAKE_LOCKS.glob("*.lock") if f"{folder}/" in path.read_text(errors="replace")]
    for path in found:
        path.unlink()
    if found:
        print("An earlier run was killed; its lock was removed.", file=sys.stderr)

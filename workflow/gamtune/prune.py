"""Finds the trainings that no study wants any more, and removes their folders."""

import os
import shutil
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from gamtune.errors import DamagedError
from gamtune.files import locked, read_json
from gamtune.numbers import significant
from gamtune.plan import RESULTS, STORE, Plan
from gamtune.results.record import MODEL, RECORD
from gamtune.results.slots_file import FILE as SLOTS
from gamtune.results.slots_file import read_slots
from gamtune.runtime.run_lock import active_run, exclusive
from gamtune.runtime.training_code import training_code
from gamtune.search.trials import proposed_rows
from gamtune.selection.slots import CONFIRM, FINAL
from gamtune.spec import Spec
from gamtune.tracking.study import TrackedStudy

TRAININGS = ("trials", "rounds", "rungs", "confirm", "final")  # folders of a study whose records are trainings


@dataclass(frozen=True)
class Unwanted:
    """A folder or file to remove: where, whose, how many bytes are freed with it, and the key of its run in MLflow."""

    path: Path
    owner: str
    size: int
    run: str = ""


def unwanted(plans: Sequence[Plan]) -> list[Unwanted]:
    """What no config of ``plans`` wants of the trainings in the folder of results, those of other studies included.

    A training of the store is wanted if the table of a config, its rounds or rungs, its confirmations or its optimum
    have it, on the data as they are and with the code as it is.

    Parameters
    ----------
    plans : sequence of Plan
        The studies that stay.
    """
    results = Path(RESULTS)
    studies = {plan.name: plan for plan in plans}
    found = list(_in_store(Path(STORE), plans))
    for folder in sorted(path for path in results.glob("*") if path.is_dir() and path != Path(STORE)):
        wanted = _folders(studies[folder.name]) if folder.name in studies else set()
        for record in sorted(path for kind in TRAININGS for path in folder.glob(f"{kind}/**/{RECORD}")):
            if record.parent not in wanted:
                found.append(Unwanted(record.parent, folder.name, _size(record.parent), _run_key(record)))
    return found


def show_unwanted(plans: Sequence[Plan]) -> None:
    """Print what `prune` would remove, and whether a run is active."""
    found = unwanted(plans)
    _print_each(found)
    print(f"{len(found)} not wanted by any of these configs, {_megabytes(found)} MB; with --yes they are removed")
    if active := active_run():
        print(f"{active}; --yes is refused until it has ended", file=sys.stderr)


def prune(plans: Sequence[Plan]) -> int:
    """Remove what no config of ``plans`` wants from the disk and from MLflow, and print what was removed.

    No run is active meanwhile, and a sync waits: it sees either all records or those that stay.

    Returns
    -------
    int
        Number of folders and files that could not be removed; standard error says why.

    Raises
    ------
    InputError
        If a run is active.
    OSError
        If a lock file cannot be written.
    TrackingError
        If MLflow cannot be reached; the folders and files have been removed then.
    """
    from gamtune.tracking.forget import forget_runs

    uris = sorted({plan.config.tracking.uri for plan in plans})
    with exclusive("gamtune prune"):
        with ExitStack() as syncs:
            for lock in sorted({TrackedStudy("", uri, Path(RESULTS)).lock for uri in uris}):
                syncs.enter_context(locked(lock))
            found = unwanted(plans)
            _print_each(found)
            problems = remove(found)
        for problem in problems:
            print(problem, file=sys.stderr)
        removed = [one for one in found if not one.path.exists()]
        print(f"{len(removed)} removed, {_megabytes(removed)} MB")
        for uri in uris:
            for owner in sorted({one.owner for one in removed if one.run}):
                keys = {one.run for one in removed if one.owner == owner}
                hidden = forget_runs(TrackedStudy(owner, uri, Path(RESULTS)), keys)
                print(f"{hidden} runs of {owner} hidden in MLflow")
    return len(problems)


def _print_each(found: Sequence[Unwanted]) -> None:
    for one in found:
        print(f"{significant(one.size / 1e6, 3):>9} MB  {one.path}")


def _megabytes(found: Sequence[Unwanted]) -> str:
    return significant(sum(one.size for one in found) / 1e6, 3)


def remove(found: Sequence[Unwanted]) -> list[str]:
    """Remove folders and files, and the folders that are empty afterwards; the caller holds the run lock.

    Of a folder, the record is removed first, so that a trial is either whole or not there.

    Returns
    -------
    list of str
        One message per folder or file that could not be removed.
    """
    problems = []
    for one in found:
        try:
            (one.path / RECORD if one.path.is_dir() else one.path).unlink(missing_ok=True)
            if one.path.is_dir():
                shutil.rmtree(one.path)
            _remove_empty(one)
        except FileNotFoundError:  # another process has removed it
            continue
        except OSError as error:
            problems.append(f"{error.filename or one.path}: {error.strerror}")
    return problems


def _remove_empty(one: Unwanted) -> None:
    """Remove the folders that are empty without a removed folder, up to that of the study or store."""
    for parent in one.path.parents:
        if parent.name in (one.owner, Path(STORE).name, RESULTS) or any(parent.iterdir()):
            break
        parent.rmdir()


def _in_store(store: Path, plans: Sequence[Plan]) -> Iterator[Unwanted]:
    code = training_code()
    wanted, with_model = set(), set()
    for plan in plans:
        trials = _trials(plan)
        data = [_data_digest(plan.digest(fold)) for fold in plan.config.data.folds]
        final = set(_finals(plan))
        wanted |= set(product(trials, data)) | final
        with_model |= set(product(trials, data)) | final if plan.models else final
    for folder in sorted(store.glob("*/")):
        try:
            record = read_json(folder / RECORD, "trial", "data", "code")
            key = record["trial"], record["data"]
            stays = key in wanted and record["code"] == code
        except PermissionError as error:  # of another user, whose trials cannot be judged
            print(f"{error.filename}: {error.strerror}; not removed", file=sys.stderr)
            continue
        except (OSError, DamagedError):  # what a killed training left
            stays = False
        if not stays:
            yield Unwanted(folder, "store", _size(folder))
        elif key not in with_model and (status := _status(folder / MODEL)):
            yield Unwanted(folder / MODEL, "store", status.st_size)


def _data_digest(path: str) -> str:
    """Digest of the data as they were last prepared; empty before."""
    try:
        digest: str = read_json(Path(path), "digest")["digest"]
    except (OSError, DamagedError):
        return ""
    return digest


def _trials(plan: Plan) -> set[str]:
    """Return the ids of all trials that a study has, as far as they are known, except the final ones."""
    proposed = (row.spec.trial for row, _ in proposed_rows(Path(plan.path()), plan.stages))
    return {*plan.trials, *proposed, *(spec.trial for _, spec in _slots(plan, CONFIRM))}


def _finals(plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield the id and the data of each final trial."""
    for slot, spec in _slots(plan, FINAL):
        yield spec.trial, _data_digest(plan.slot_data(FINAL, slot))


def _slots(plan: Plan, stage: str) -> Iterator[tuple[str, Spec]]:
    """Yield name and trial of the slots of a stage that the config still asks for; none before its file is written."""
    planned = set(plan.stage_slots(stage))
    try:
        slots = read_slots(Path(plan.path(stage)) / SLOTS)
    except FileNotFoundError:
        return
    yield from ((slot.slot, slot.spec) for slot in slots if slot.spec and slot.slot in planned)


def _folders(plan: Plan) -> set[Path]:
    """Return the folders of the records that a study has or will have."""
    later = (f"{stage}/{slot}" for stage in (CONFIRM, FINAL) for slot in plan.stage_slots(stage))
    return {Path(plan.path(folder)) for folder in (*plan.folders, *later)}


def _run_key(record: Path) -> str:
    """What the run of a study's record is known by."""
    *_, kind, candidate, replicate, _ = record.parts
    if kind == "final":
        return f"final/{candidate}/{replicate}"
    if kind == "confirm":
        return f"confirmation/{candidate}/{replicate}"
    try:
        return f"trial/{read_json(record).get('trial', '')}"
    except (DamagedError, OSError):  # damaged, whose run the next sync retires; unreadable, or gone
        return ""


def _size(folder: Path) -> int:
    """Return the bytes of a folder's files; a file that is linked elsewhere counts with its last link."""
    return sum(status.st_size // status.st_nlink for path in folder.rglob("*") if (status := _status(path)))


def _status(path: Path) -> os.stat_result | None:
    """Return the status of a file; None if it is a folder, cannot be reached or has vanished."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status if stat.S_ISREG(status.st_mode) else None

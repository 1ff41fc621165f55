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

from gamtune.files import locked
from gamtune.numbers import significant
from gamtune.plan import Plan
from gamtune.results.dataset import DatasetInfo
from gamtune.results.layout import CONFIRM, FINAL, RESULTS, STORE, Results, StudyFolder, TrialFolder
from gamtune.results.records import Record
from gamtune.results.selection import Selection
from gamtune.runtime.run_lock import active_run, exclusive
from gamtune.runtime.training_code import training_code
from gamtune.search.proposals import proposed_rows
from gamtune.selection.contenders import OPTIMUM, final_spec
from gamtune.selection.slots import confirmation_spec, read_candidates
from gamtune.tracking.study import TrackedStudy


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
    results = Results(Path(RESULTS))
    studies = {plan.name: plan for plan in plans}
    found = list(_in_store(results.store, plans))
    for study in results.folders():
        name = study.path.name
        wanted = _folders(studies[name]) if name in studies else set()
        for record in study.records():
            if record.parent not in wanted:
                found.append(Unwanted(record.parent, name, _size(record.parent), _run_key(record)))
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
            (TrialFolder(one.path).record if one.path.is_dir() else one.path).unlink(missing_ok=True)
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
        if parent.name in (one.owner, STORE, RESULTS) or any(parent.iterdir()):
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
        model = TrialFolder(folder).model
        try:
            record = Record.read(TrialFolder(folder).record)
            key = record.trial, record.data
            stays = key in wanted and record.code == code
        except PermissionError as error:  # of another user, whose trials cannot be judged
            print(f"{error.filename}: {error.strerror}; not removed", file=sys.stderr)
            continue
        except (OSError, ValueError):  # what a killed training left
            stays = False
        if not stays:
            yield Unwanted(folder, STORE, _size(folder))
        elif key not in with_model and (status := _status(model)):
            yield Unwanted(model, STORE, status.st_size)


def _data_digest(path: str) -> str:
    """Digest of the data as they were last prepared; empty before."""
    try:
        return DatasetInfo.read(Path(path)).digest
    except (OSError, ValueError):
        return ""


def _trials(plan: Plan) -> set[str]:
    """Ids of all trainings that a study has, as far as they are known."""
    folder = Path(plan.path())
    trials = {*plan.trials, *(row.spec.trial for row, _ in proposed_rows(folder, plan.stages))}
    try:
        candidates = read_candidates(plan.layout.candidates)
    except OSError:
        return trials
    seed = plan.config.training.seed
    specs = (
        confirmation_spec(candidates[name], seed, replicate, plan.fold_of(replicate))
        for name in plan.candidates
        if name in candidates
        for replicate in plan.replicates
    )
    return trials | {spec.trial for spec in specs if spec}


def _finals(plan: Plan) -> Iterator[tuple[str, str]]:
    """Id and data of the final trainings of the optimum and of what it is compared with."""
    folder, seed = Path(plan.path()), plan.config.training.seed
    for name in _decided(folder) & set(plan.contenders):
        for number in plan.finals:
            spec, _ = final_spec(folder, name, seed, number, plan.final_fold(number), bool(plan.whole))
            if spec:
                yield spec.trial, _data_digest(plan.final_digest(number))


def _decided(folder: Path) -> set[str]:
    """Contenders that the decision as it was last made knows; none before."""
    if not StudyFolder(folder).candidates.exists():  # it holds their settings
        return set()
    try:
        selection = Selection.of(folder)
    except (OSError, ValueError):
        return set()
    return {OPTIMUM, *(entry.candidate for entry in selection.candidates)}


def _folders(plan: Plan) -> set[Path]:
    """Folders of the records that a study has or will have."""
    study = plan.layout
    confirmed = {study.confirmation(name, number).path for name in plan.candidates for number in plan.replicates}
    final = {study.final(name, number).path for name in plan.contenders for number in plan.finals}
    return {Path(record).parent for record in plan.records} | confirmed | final


def _run_key(record: Path) -> str:
    """What the run of a study's record is known by."""
    *_, kind, candidate, replicate, _ = record.parts
    if kind == FINAL:
        return f"final/{candidate}/{replicate}"
    if kind == CONFIRM:
        return f"confirmation/{candidate}/{replicate}"
    try:
        return f"trial/{Record.read(record).trial}"
    except (ValueError, OSError):  # damaged, whose run the next sync retires; unreadable, or gone
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

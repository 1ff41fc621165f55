"""Search for trials that no study needs, and their removal from the disk and from MLflow."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import product
from pathlib import Path

from gamtune.errors import DamagedError
from gamtune.files import locked
from gamtune.numbers import significant
from gamtune.plan import Plan
from gamtune.results.clean_up import Unneeded, remove, size_of, status_of
from gamtune.results.dataset import DatasetInfo
from gamtune.results.layout import CONFIRM, FINAL, RESULTS, STORE, Results, TrialFolder
from gamtune.results.records import Record
from gamtune.results.slots_file import read_slots
from gamtune.runtime.run_lock import active_run, exclusive
from gamtune.runtime.training_code import training_code
from gamtune.search.trials import proposed_rows
from gamtune.spec import Spec
from gamtune.tracking.study import TrackedStudy


def unneeded_trials(plans: Sequence[Plan]) -> list[Unneeded]:
    """Return the trials of all studies and in the store that no config needs.

    A stored trial is needed if it belongs to the table of a config, its rounds or rungs, its confirmations or its final
    trials, with the current data and the current training code.

    Parameters
    ----------
    plans : sequence of Plan
        The studies to keep.
    """
    results = Results(Path(RESULTS))
    studies = {plan.name: plan for plan in plans}
    found = list(_in_store(results.store, plans))
    for study in results.folders():
        name = study.path.name
        wanted = _folders(studies[name]) if name in studies else set()
        for record in study.records():
            if record.parent not in wanted:
                found.append(Unneeded(record.parent, name, size_of(record.parent), _run_key(record)))
    return found


def show_unneeded(plans: Sequence[Plan]) -> None:
    """Print the trials that `prune` would remove, and whether a run is active."""
    found = unneeded_trials(plans)
    _print_each(found)
    print(f"{len(found)} not needed by any of these configs, {_megabytes(found)} MB; remove them with --yes")
    if active := active_run():
        print(f"{active}; --yes is only possible after it has ended", file=sys.stderr)


def prune(plans: Sequence[Plan]) -> int:
    """Remove the trials that no config of ``plans`` needs from the disk and from MLflow, and print them.

    Meanwhile no run can start, and a sync waits, so that it does not read an incomplete set of records.

    Returns
    -------
    int
        Number of folders and files that could not be removed; the reasons are printed to standard error.

    Raises
    ------
    InputError
        If a run is active.
    OSError
        If a lock file cannot be written.
    TrackingError
        If MLflow cannot be reached. The folders and files have been removed already.
    """
    from gamtune.tracking.runs import delete_runs

    uris = sorted({plan.config.tracking.uri for plan in plans})
    with exclusive("gamtune prune"):
        with ExitStack() as syncs:
            for lock in sorted({TrackedStudy("", uri, Path(RESULTS)).lock for uri in uris}):
                syncs.enter_context(locked(lock))
            found = unneeded_trials(plans)
            _print_each(found)
            problems = remove(found)
        for problem in problems:
            print(problem, file=sys.stderr)
        removed = [one for one in found if not one.path.exists()]
        print(f"{len(removed)} removed, {_megabytes(removed)} MB")
        for uri in uris:
            for owner in sorted({one.owner for one in removed if one.run}):
                keys = {one.run for one in removed if one.owner == owner}
                deleted = delete_runs(TrackedStudy(owner, uri, Path(RESULTS)), keys)
                print(f"{deleted} runs of {owner} deleted in MLflow")
    return len(problems)


def _print_each(found: Sequence[Unneeded]) -> None:
    for one in found:
        print(f"{significant(one.size / 1e6, 3):>9} MB  {one.path}")


def _megabytes(found: Sequence[Unneeded]) -> str:
    return significant(sum(one.size for one in found) / 1e6, 3)


def _in_store(store: Path, plans: Sequence[Plan]) -> Iterator[Unneeded]:
    code = training_code()
    wanted, with_model = set(), set()
    for plan in plans:
        trials = _trials(plan)
        data = [_data_fingerprint(plan.data_info(fold)) for fold in plan.config.data.folds]
        final = set(_finals(plan))
        wanted |= set(product(trials, data)) | final
        with_model |= set(product(trials, data)) | final if plan.models else final
    for folder in sorted(store.glob("*/")):
        model = TrialFolder(folder).model
        try:
            record = Record.read(TrialFolder(folder).record)
            key = record.trial, record.data
            stays = key in wanted and record.code == code
        except PermissionError as error:  # it belongs to another user
            print(f"{error.filename}: {error.strerror}; not removed", file=sys.stderr)
            continue
        except (OSError, DamagedError):  # the folder of a killed trial
            stays = False
        if not stays:
            yield Unneeded(folder, STORE, size_of(folder))
        elif key not in with_model and (status := status_of(model)):
            yield Unneeded(model, STORE, status.st_size)


def _data_fingerprint(path: str) -> str:
    """Return the fingerprint of the prepared data, or an empty text."""
    try:
        return DatasetInfo.read(Path(path)).fingerprint
    except (OSError, DamagedError):
        return ""


def _trials(plan: Plan) -> set[str]:
    """Return the ids of all trials of a study that are known already, except the final trials."""
    proposed = (row.spec.trial for row, _ in proposed_rows(Path(plan.path()), plan.stages))
    return {*plan.trials, *proposed, *(spec.trial for _, spec in _slots(plan, CONFIRM))}


def _finals(plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield the id and the data of each final trial."""
    for slot, spec in _slots(plan, FINAL):
        yield spec.trial, _data_fingerprint(plan.slot_data(FINAL, slot))


def _slots(plan: Plan, stage: str) -> Iterator[tuple[str, Spec]]:
    """Yield name and trial of the slots of a stage that the config still contains; none before its file is written."""
    planned = set(plan.stage_slots(stage))
    try:
        slots = read_slots(plan.layout.stage(stage).slots)
    except FileNotFoundError:
        return
    yield from ((slot.slot, slot.spec) for slot in slots if slot.spec and slot.slot in planned)


def _folders(plan: Plan) -> set[Path]:
    """Return the folders of the records that a study has or will have."""
    later = (f"{stage}/{slot}" for stage in (CONFIRM, FINAL) for slot in plan.stage_slots(stage))
    return {Path(plan.path(folder)) for folder in (*plan.folders, *later)}


def _run_key(record: Path) -> str:
    """Return the key of the run that belongs to a record."""
    *_, kind, candidate, replicate, _ = record.parts
    if kind == FINAL:
        return f"final/{candidate}/{replicate}"
    if kind == CONFIRM:
        return f"confirmation/{candidate}/{replicate}"
    try:
        return f"trial/{Record.read(record).trial}"
    except (DamagedError, OSError):  # the next sync deletes the run of a record that is damaged or missing
        return ""

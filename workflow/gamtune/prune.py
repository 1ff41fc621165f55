"""Search for the trials that no study wants any more, and their removal from the disk and from MLflow."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import product
from pathlib import Path

from gamtune.files import locked
from gamtune.numbers import significant
from gamtune.plan import Plan
from gamtune.results.clean_up import Unwanted, remove, size_of, status_of
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


def unwanted(plans: Sequence[Plan]) -> list[Unwanted]:
    """Return the trials in the folder of results, of all studies and in the store, that no config wants.

    A stored trial is wanted if it is part of the table of a config, its rounds or rungs, its confirmations or its final
    trials, with the present data and the present training code.

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
                found.append(Unwanted(record.parent, name, size_of(record.parent), _run_key(record)))
    return found


def show_unwanted(plans: Sequence[Plan]) -> None:
    """Print what `prune` would remove, and whether a run is active."""
    found = unwanted(plans)
    _print_each(found)
    print(f"{len(found)} not wanted by any of these configs, {_megabytes(found)} MB; with --yes they are removed")
    if active := active_run():
        print(f"{active}; --yes is refused until it has ended", file=sys.stderr)


def prune(plans: Sequence[Plan]) -> int:
    """Remove the trials that no config of ``plans`` wants from the disk and from MLflow, and print what was removed.

    No run can start meanwhile, and a sync waits, so that it never sees a part of the records.

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
    from gamtune.tracking.runs import forget_runs

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
        except PermissionError as error:  # it belongs to another user
            print(f"{error.filename}: {error.strerror}; not removed", file=sys.stderr)
            continue
        except (OSError, ValueError):  # it is what a killed trial left
            stays = False
        if not stays:
            yield Unwanted(folder, STORE, size_of(folder))
        elif key not in with_model and (status := status_of(model)):
            yield Unwanted(model, STORE, status.st_size)


def _data_digest(path: str) -> str:
    """Return the fingerprint of the data as they were last prepared, or an empty text."""
    try:
        return DatasetInfo.read(Path(path)).digest
    except (OSError, ValueError):
        return ""


def _trials(plan: Plan) -> set[str]:
    """Return the ids of all trials of the search and of the confirmations, as far as they are known."""
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
    """Yield the id and the fingerprint of the data of each final trial."""
    folder, seed = Path(plan.path()), plan.config.training.seed
    for name in _decided(folder) & set(plan.contenders):
        for number in plan.finals:
            spec, _ = final_spec(folder, name, seed, number, plan.final_fold(number), bool(plan.whole))
            if spec:
                yield spec.trial, _data_digest(plan.final_digest(number))


def _decided(folder: Path) -> set[str]:
    """Return the names of the models of the final trials according to the last selection; none before it."""
    if not StudyFolder(folder).candidates.exists():  # which holds their settings
        return set()
    try:
        selection = Selection.of(folder)
    except (OSError, ValueError):
        return set()
    return {OPTIMUM, *(entry.candidate for entry in selection.candidates)}


def _folders(plan: Plan) -> set[Path]:
    """Return the folders of the records that a study has or will have."""
    study = plan.layout
    confirmed = {study.confirmation(name, number).path for name in plan.candidates for number in plan.replicates}
    final = {study.final(name, number).path for name in plan.contenders for number in plan.finals}
    return {Path(record).parent for record in plan.records} | confirmed | final


def _run_key(record: Path) -> str:
    """Return the key of the run that belongs to a record."""
    *_, kind, candidate, replicate, _ = record.parts
    if kind == FINAL:
        return f"final/{candidate}/{replicate}"
    if kind == CONFIRM:
        return f"confirmation/{candidate}/{replicate}"
    try:
        return f"trial/{Record.read(record).trial}"
    except (ValueError, OSError):  # it is unreadable or gone; the next sync hides the run of a damaged record
        return ""

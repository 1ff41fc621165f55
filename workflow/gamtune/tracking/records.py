"""The records of a study on disk, and the MLflow runs that they belong to."""

import hashlib
import logging
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from gamtune.errors import DamagedError
from gamtune.files import read_checked
from gamtune.results.layout import OPTIMUM, TRIALS, StudyFolder
from gamtune.results.records import Record
from gamtune.results.selection import Selection
from gamtune.results.trial_table import REPLICATE, SearchTrial
from gamtune.search.trials import search_trials
from gamtune.tracking.study import TrackedStudy

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """The path of the record of a trial, which may not exist yet, and its run in MLflow.

    Attributes
    ----------
    role : {"trial", "confirmation", "final", "optimum"}
        Role of the run.
    key : str
        Value of the tag ``gamtune.key``, which identifies the run.
    name : str
        Name of the run.
    path : Path
        The record.
    specified_in : str
        File that holds the specification of the trial, relative to the study's folder.
    """

    role: str
    key: str
    name: str
    path: Path
    specified_in: str


@dataclass(frozen=True)
class RunRecord:
    """A record with its place and the SHA-256 of its bytes."""

    place: Place
    fingerprint: str
    content: Record


@dataclass(frozen=True)
class StudyRecords:
    """The records of a study as they are on disk.

    Attributes
    ----------
    runs : list of RunRecord
        The records.
    awaited : set of str
        Keys of trials of the study whose record is missing, for example because they are being trained again.
    varying : frozenset of str
        Hyperparameters with more than one value in the table.
    has_table : bool
        Whether the table exists.
    """

    runs: list[RunRecord]
    awaited: set[str]
    varying: frozenset[str]
    has_table: bool


def read_study(study: TrackedStudy, only: Collection[Path] | None = None) -> StudyRecords:
    """Return the records of a study, and the information that is needed to find outdated runs.

    The records are in the order of the table, followed by the confirmations, the final trials and the optimum. Records
    of empty slots are left out.

    Parameters
    ----------
    study : TrackedStudy
        The study.
    only : collection of paths, optional
        Records to read; by default all.
    """
    table = list(search_trials(study.folder, study.stages))
    runs, awaited = [], set()
    for place in _places(study.layout, table):
        if only is not None and place.path not in only:
            continue
        record = _read(place)
        if record is None:
            awaited.add(place.key)
        elif record.content.status != "skipped":
            runs.append(record)
    return StudyRecords(runs, awaited, _varying([trial.cells for trial in table]), has_table=bool(table))


def fingerprint(study: TrackedStudy) -> dict[Path, tuple[int, int]]:
    """Return the time and size of every record and of the files with their specifications, to detect changes."""
    table, layout = list(search_trials(study.folder, study.stages)), study.layout
    records = [place.path for place in _places(layout, table)]
    specifications = [layout.table, *(layout.stage(stage).slots for stage in study.stages)]
    stamps = {}
    for path in [*specifications, *records]:
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        stamps[path] = status.st_mtime_ns, status.st_size
    return stamps


def read_selection(study: StudyFolder) -> Selection | None:
    """Return the selection of a study; None if its file does not exist yet or is damaged."""
    try:
        return Selection.read(study.selection)
    except (FileNotFoundError, DamagedError):
        return None


def _varying(table: list[dict[str, str]]) -> frozenset[str]:
    """Return the columns with more than one value; replicates differ only in their weight seed."""
    columns = {column for column in (table[0] if table else {}) if len({row[column] for row in table}) > 1}
    return frozenset(columns | ({"weight_seed"} if REPLICATE in columns else set()))


def _places(study: StudyFolder, table: list[SearchTrial]) -> Iterator[Place]:
    for trial in {trial.trial: trial for trial in table}.values():
        stage = study.relative(trial.record.parents[1])
        specified_in = study.relative(study.table if stage == TRIALS else study.stage(stage).slots)
        yield Place("trial", f"trial/{trial.trial}", trial.name, trial.record, specified_in)
    for candidate, replicate in _slots(study):
        path = study.confirmation(candidate, replicate).record
        key, name = f"confirmation/{candidate}/{replicate}", f"{candidate}_{replicate}"
        yield Place("confirmation", key, name, path, study.relative(study.candidates))
    selection = study.relative(study.selection)
    for finalist, number in study.finals():
        if (finalist, number) != (OPTIMUM, "1"):  # this one is exported and has the role "optimum" below
            name = f"{finalist}_{number}" if finalist == OPTIMUM else f"{finalist}_final_{number}"
            yield Place("final", f"final/{finalist}/{number}", name, study.final(finalist, number).record, selection)
    if study.optimum.path.is_dir():
        yield Place("optimum", "optimum", OPTIMUM, study.optimum.record, selection)


def _slots(study: StudyFolder) -> Iterator[tuple[str, str]]:
    """Yield the candidate and number of each confirmation, except those of an earlier selection."""
    slots = study.confirmations()
    selection = read_selection(study)
    if selection is None:
        yield from slots
        return
    wanted = {entry.candidate for entry in selection.candidates}
    replicates = {str(number + 1) for number in range(len(selection.weight_seeds))}
    yield from (slot for slot in slots if slot[0] in wanted and slot[1] in replicates)


def _read(place: Place) -> RunRecord | None:
    """Return a record; None if it is missing or damaged, so that the other records are still tracked."""
    try:
        content = read_checked(place.path)
        record = Record.parse(content, place.path)
    except FileNotFoundError:
        return None
    except DamagedError as error:
        logger.warning("%s: not tracked: %s", place.path, error.lines[0])
        return None
    return RunRecord(place, hashlib.sha256(content).hexdigest(), record)

"""What a study left on disk: its table, the records of its trainings and its data."""

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
from gamtune.search.proposals import lines_with_records
from gamtune.tracking.study import TrackedStudy

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """Where a record lies, or will lie once its training is done, what to call its run and which file asked for it."""

    role: str
    key: str
    name: str
    path: Path
    asked_by: str


@dataclass(frozen=True)
class RunRecord:
    """One record: where it lies, the sha256 of its bytes and its content."""

    place: Place
    digest: str
    content: Record


@dataclass(frozen=True)
class StudyRecords:
    """A study as it is on disk now.

    ``awaited`` holds the keys whose record is missing but still wanted, because it is trained again just now;
    ``varying`` the settings that take more than one value in the table.
    """

    runs: list[RunRecord]
    awaited: set[str]
    varying: frozenset[str]
    has_table: bool


def read_runs(study: TrackedStudy) -> list[RunRecord]:
    """Every record of a study in the table's order, then confirmations, then the optimum; skipped ones left out."""
    return read_study(study).runs


def read_study(study: TrackedStudy, only: Collection[Path] | None = None) -> StudyRecords:
    """The records of a study with what is needed to know which runs are out of date.

    Parameters
    ----------
    study : TrackedStudy
        The study.
    only : collection of paths, optional
        Records to read; the others are passed over.
    """
    table = list(lines_with_records(study.folder, study.stages))
    runs, awaited = [], set()
    for place in _places(study.layout, table):
        if only is not None and place.path not in only:
            continue
        record = _read(place)
        if record is None:
            awaited.add(place.key)
        elif record.content.status != "skipped":
            runs.append(record)
    return StudyRecords(runs, awaited, _varying([cells for cells, _ in table]), has_table=bool(table))


def fingerprint(study: TrackedStudy) -> dict[Path, tuple[int, int]]:
    """Time and size of every record, and of the files that ask for them: cheap, and different after every change."""
    table, layout = list(lines_with_records(study.folder, study.stages)), study.layout
    places = [place.path for place in _places(layout, table)]
    asking = [layout.table, *(layout.stage(stage).proposals for stage in study.stages)]
    found = {}
    for path in [*asking, *places]:
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        found[path] = status.st_mtime_ns, status.st_size
    return found


def read_selection(study: StudyFolder) -> Selection | None:
    """Return the selection of a study; None before it is made, and if its file is damaged."""
    try:
        return Selection.read(study.selection)
    except (FileNotFoundError, DamagedError):
        return None


def _varying(table: list[dict[str, str]]) -> frozenset[str]:
    """Columns with more than one value; replicates differ in their weight seed alone."""
    columns = {column for column in (table[0] if table else {}) if len({row[column] for row in table}) > 1}
    return frozenset(columns | ({"weight_seed"} if "replicate" in columns else set()))


def _places(study: StudyFolder, table: list[tuple[dict[str, str], Path]]) -> Iterator[Place]:
    for cells, path in {cells["trial"]: (cells, path) for cells, path in table}.values():
        stage = study.relative(path.parents[1])
        asked_by = study.relative(study.table if stage == TRIALS else study.stage(stage).proposals)
        yield Place("trial", f"trial/{cells['trial']}", cells["name"], path, asked_by)
    for candidate, replicate in _slots(study):
        path = study.confirmation(candidate, replicate).record
        key, name = f"confirmation/{candidate}/{replicate}", f"{candidate}_{replicate}"
        yield Place("confirmation", key, name, path, study.relative(study.candidates))
    decided = study.relative(study.selection)
    for contender, number in study.finals():
        if (contender, number) != (OPTIMUM, "1"):  # which is exported
            name = f"{contender}_{number}" if contender == OPTIMUM else f"{contender}_final_{number}"
            yield Place("final", f"final/{contender}/{number}", name, study.final(contender, number).record, decided)
    if study.optimum.path.is_dir():
        yield Place("optimum", "optimum", OPTIMUM, study.optimum.record, decided)


def _slots(study: StudyFolder) -> Iterator[tuple[str, str]]:
    """Candidate and replicate of each confirmation; those a made decision did not ask for are an earlier one's."""
    slots = study.confirmations()
    selection = read_selection(study)
    if selection is None:
        yield from slots
        return
    wanted = {entry.candidate for entry in selection.candidates}
    replicates = {str(number + 1) for number in range(len(selection.weight_seeds))}
    yield from (slot for slot in slots if slot[0] in wanted and slot[1] in replicates)


def _read(place: Place) -> RunRecord | None:
    """The record, or None while there is none; a damaged one must not keep the others from being tracked."""
    try:
        written = read_checked(place.path)
        record = Record.parse(written, place.path)
    except FileNotFoundError:
        return None
    except DamagedError as error:
        logger.warning("%s: not tracked: %s", place.path, error.lines[0])
        return None
    return RunRecord(place, hashlib.sha256(written).hexdigest(), record)

"""What a study left on disk: its table, the records of its trainings and its data."""

import logging
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gamtune.errors import DamagedError
from gamtune.files import read_json, sha256_of
from gamtune.results.slots_file import FILE as SLOTS
from gamtune.search.trials import lines_with_records
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
    content: dict[str, Any]


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
    for place in _places(study.folder, table):
        if only is not None and place.path not in only:
            continue
        record = _read(place)
        if record is None:
            awaited.add(place.key)
        elif record.content["status"] != "skipped":
            runs.append(record)
    return StudyRecords(runs, awaited, _varying([cells for cells, _ in table]), has_table=bool(table))


def fingerprint(study: TrackedStudy) -> dict[Path, tuple[int, int]]:
    """Time and size of every record, and of the files that ask for them: cheap, and different after every change."""
    table = list(lines_with_records(study.folder, study.stages))
    places = [place.path for place in _places(study.folder, table)]
    asking = [study.folder / "table.csv", *(study.folder / stage / SLOTS for stage in study.stages)]
    found = {}
    for path in [*asking, *places]:
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        found[path] = status.st_mtime_ns, status.st_size
    return found


def read_decision(folder: Path) -> dict[str, Any]:
    """``decision.json`` in the study's folder of results; nothing while it is not made, or being made."""
    try:
        return read_json(folder / "decision" / "decision.json", "winner", "why")
    except (FileNotFoundError, DamagedError):
        return {}


def _varying(table: list[dict[str, str]]) -> frozenset[str]:
    """Columns with more than one value; replicates differ in their weight seed alone."""
    columns = {column for column in (table[0] if table else {}) if len({row[column] for row in table}) > 1}
    return frozenset(columns | ({"weight_seed"} if "replicate" in columns else set()))


def _places(folder: Path, table: list[tuple[dict[str, str], Path]]) -> Iterator[Place]:
    for cells, path in {cells["trial"]: (cells, path) for cells, path in table}.values():
        stage = path.parents[1].relative_to(folder)  # trials, or a round or rung
        asked_by = "table.csv" if stage.name == "trials" else f"{stage.as_posix()}/{SLOTS}"
        yield Place("trial", f"trial/{cells['trial']}", cells["name"], path, asked_by)
    for candidate, replicate in _slots(folder):
        path = folder / "confirm" / candidate / replicate / "record.json"
        key, name = f"confirmation/{candidate}/{replicate}", f"{candidate}_{replicate}"
        yield Place("confirmation", key, name, path, "decision/candidates.csv")
    decided = "decision/decision.json"
    for path in sorted(folder.glob("final/*/[0-9]*/"), key=lambda path: (path.parent.name, int(path.name))):
        contender, number = path.parent.name, path.name
        if (contender, number) != ("optimum", "1"):  # which is exported
            name = f"{contender}_{number}" if contender == "optimum" else f"{contender}_final_{number}"
            yield Place("final", f"final/{contender}/{number}", name, path / "record.json", decided)
    if (folder / "optimum").is_dir():
        yield Place("optimum", "optimum", "optimum", folder / "optimum" / "record.json", decided)


def _slots(folder: Path) -> Iterator[tuple[str, str]]:
    """Candidate and replicate of each confirmation; those a made decision did not ask for are an earlier one's."""
    slots = sorted((slot.parts[-2], slot.parts[-1]) for slot in (folder / "confirm").glob("*/*/"))
    decision = read_decision(folder)
    if not decision.keys() >= {"candidates", "weight_seeds"}:
        yield from slots
        return
    wanted = {entry["candidate"] for entry in decision["candidates"]}
    replicates = {str(number + 1) for number in range(len(decision["weight_seeds"]))}
    yield from (slot for slot in slots if slot[0] in wanted and slot[1] in replicates)


def _read(place: Place) -> RunRecord | None:
    """The record, or None while there is none; a damaged one must not keep the others from being tracked."""
    try:
        written = sha256_of(place.path)
        content = read_json(place.path, "status")
        needed = () if content["status"] == "skipped" else ("spec", "started", "finished")
        if missing := [key for key in needed if key not in content]:
            raise DamagedError(place.path, f"it has no {missing[0]!r}")
    except FileNotFoundError:
        return None
    except DamagedError as error:
        logger.warning("%s: not tracked, not a record: %s", place.path, error.problem)
        return None
    return RunRecord(place, written, content)

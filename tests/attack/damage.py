"""Damaged files: files of a finished study are emptied, truncated or have bytes flipped, then the study is rerun.

One file of every kind is damaged. Files whose paths differ in an id only, such as the records of trials, are one kind.

After the rerun, the results equal those of the undamaged study, or one line names the damaged file, and deleting it and
running again gives the undamaged results. If Snakemake reruns nothing, the file may still be damaged. The study is then
continued in a way that reads the file, with the same requirements: with one more draw, or from the store after its folder
was deleted. This is done for one damage per file, and not for files that only people read (`PRESENTED`). Before and
after the rerun, the commands that read results must print the same as for the undamaged study, or name the file.
"""

import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from project import Finished, Project

from attack.command import Answer, gamtune, import_once
from attack.study import STUDIES, check_clean, check_complete, check_equal, content, finished_study
from attack.verdict import Failure
from gamtune.files import locked
from gamtune.runtime.warm import start_server

# Files that only people and the tracking server read; they are written again when their step runs again
PRESENTED = (
    "*.svg", "*.png", "*/log.txt", "*/logs/*", "*/report.html", "*/figures/captions.json", "*/.*.svg.sha256",
    "*/.*.png.sha256", "*/figures/.captions.json.sha256", "*/.report.html.sha256", "*/.snakemake_timestamp",
    "results/mlartifacts/*", "results/.mlflow.lock", "*/.lock",
)  # fmt: skip
STORE = "results/store/"
DATABASE = "results/mlflow.db"  # has no checksum, and is read by `gamtune sync` only
OPTIMUM = "results/small/optimum"  # the folder that `gamtune predict` reads
ID = re.compile(r"[0-9a-f]{12,}")
STUDY = "gam"
DRAWS = {"search__draws": 6}  # one more than in the study
LINES = 3  # of a message
Damage = Callable[[Random, bytes], bytes]


def _flip(random: Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for place in random.sample(range(len(changed)), min(len(changed), 3)):
        changed[place] ^= random.randrange(1, 256)
    return bytes(changed)


DAMAGES: Mapping[str, Damage] = {
    "emptied": lambda random, data: b"",
    "truncated": lambda random, data: data[: random.randrange(1, len(data))] if len(data) > 1 else b"",
    "flipped": _flip,
}


@dataclass(frozen=True)
class Answers:
    """Output of the commands that read a study."""

    outcome: Answer
    predict: Answer | None

    @classmethod
    def of(cls, project: Project, file: str) -> "Answers":
        """Run the commands that may read a file."""
        call = lambda *arguments: gamtune(*arguments, cwd=project.folder, limit=60)  # noqa: E731
        predicts = file.startswith(OPTIMUM)
        return cls(
            call("show", project.config),
            call("predict", f"{OPTIMUM}/model.keras", "data/new.csv") if predicts else None,
        )

    def check(self, expected: "Answers", file: str) -> None:
        """Check that each output is the expected one or names the file.

        Raises
        ------
        Failure
            If an output is neither.
        """
        _check_answer("outcome", self.outcome, expected.outcome, file)
        if self.predict and expected.predict:
            _check_answer("predict", self.predict, expected.predict, file)


def prepare(folder: Path) -> None:
    """Run the study that the cases damage, and start a server of workers for the trials that they repeat."""
    os.environ.pop("GAMTUNE_WORKERS", None)
    start_server(folder / "workers.txt", expected=True)
    data = finished_study(folder, STUDY).folder / "data"
    lines = (data / "digits.csv").read_text().splitlines()[:6]
    (data / "new.csv").write_text("".join(line.rpartition(",")[0] + "\n" for line in lines))
    import_once("tensorflow", "keras", "mlflow", "gamtune.plan", "gamtune.serving.predict", "gamtune.tracking.sync")


def files(project: Project, random: Random) -> list[str]:
    """Return one file of every kind in the results, relative to the project; of hard links, only the first is used."""
    found: dict[int, str] = {}
    for path in sorted((project.folder / "results").rglob("*")):
        if path.is_file() and path.stat().st_size:
            found.setdefault(path.stat().st_ino, path.relative_to(project.folder).as_posix())
    kinds: dict[str, list[str]] = {}
    for file in found.values():
        kinds.setdefault(ID.sub("ID", file), []).append(file)
    return [random.choice(kinds[kind]) for kind in sorted(kinds)]


def cases(number: int, seed: int) -> list[str]:
    """Return names of cases, which contain the number of a file instead of its path, since ids of trials vary."""
    return [f"{damage}/{seed}/{index}" for index in range(number) for damage in DAMAGES]


def attempt(folder: Path, case: str) -> int:
    """Try a case.

    Returns
    -------
    int
        1, or 0 if the study has fewer kinds of files.

    Raises
    ------
    Failure
        If results changed without a message, or the message does not name the file.
    """
    damage, seed, index = case.split("/", 2)
    reference = finished_study(folder, STUDY)
    random = Random(f"{seed}/{index}")
    listed = Random(seed).sample(names := files(reference, Random(seed)), len(names))
    if index.isdecimal() and int(index) >= len(listed):
        return 0
    file = listed[int(index)] if index.isdecimal() else index  # or the path of a file
    needed = not index.isdecimal() or Random(f"{seed}/{index}").choice([*DAMAGES]) == damage
    project = replace(reference, folder=folder / case.replace("/", "_"))
    _copy(reference, project)
    path = project.folder / file
    data = path.read_bytes()
    changed = DAMAGES[damage](random, data)
    if changed == data:
        return 0
    path.chmod(0o644)
    path.write_bytes(changed)
    try:
        _examine(project, folder, file, changed, needed)
    except Failure as failure:
        raise Failure(failure.fault, f"{file} {damage}: {failure.detail}") from None
    shutil.rmtree(project.folder)
    return 1


def _larger(folder: Path) -> Project:
    """Return the undamaged study with one more draw; the first call runs it."""
    project = Project(folder / "larger")
    with locked(folder / "larger.lock"):
        if not project.folder.exists():
            _copy(finished_study(folder, STUDY), project)
            done = _extend(project)
            if done.code != 0:
                shutil.rmtree(project.folder)
                raise RuntimeError(done.output)
    return project


def _copy(project: Project, other: Project) -> None:
    shutil.copytree(project.folder, other.folder, symlinks=True)
    _restore_links(other.folder, project.folder)


def _extend(project: Project) -> Finished:
    """Run the study with one more draw."""
    project.configure(**STUDIES[STUDY] | DRAWS)
    return _rerun(project)


def _rerun(project: Project) -> Finished:
    return project.call(*project.snakemake_command())


def _restore_links(folder: Path, reference: Path) -> None:
    """Restore the hard links between trials and store, which copying does not keep."""
    first: dict[int, Path] = {}
    for path in sorted((reference / "results").rglob("*")):
        if path.is_file():
            copy = folder / path.relative_to(reference)
            original = first.setdefault(path.stat().st_ino, copy)
            if original != copy:
                copy.unlink()
                os.link(original, copy)


@cache
def _expected(folder: Path, file: str) -> Answers:
    return Answers.of(finished_study(folder, STUDY), file)


def _examine(project: Project, folder: Path, file: str, changed: bytes, needed: bool) -> None:
    reference = finished_study(folder, STUDY)
    presented = any(fnmatch(file, pattern) for pattern in PRESENTED)
    expected = _expected(folder, OPTIMUM if file.startswith(OPTIMUM) else "")
    Answers.of(project, file).check(expected, file)
    _check_run(project, reference, file, changed, _rerun)
    Answers.of(project, file).check(expected, file)
    if presented:
        return
    path = project.folder / file
    synced = _sync(project)
    if synced.code != 0:
        if not _names(synced.errors, file) or synced.errors.count("\n") > LINES:
            raise Failure("unclear message", f"sync: {synced.errors[-400:]}")
        if file == DATABASE:
            path.unlink()
            synced = _sync(project)
    if file == DATABASE and len(changed) != (reference.folder / file).stat().st_size:  # it was emptied or truncated
        if synced.code != 0:
            raise Failure("wrong result", f"deleted and synced again: {synced.errors[-400:]}")
        check_equal(content(project), content(reference))
        return
    if not needed or not path.exists() or path.read_bytes() != changed:
        return
    if file.startswith(STORE):
        shutil.rmtree(project.path())
        _check_run(project, reference, file, changed, _rerun)
    else:
        _check_run(project, _larger(folder), file, changed, _extend)


def _sync(project: Project) -> Answer:
    return gamtune("sync", project.config, cwd=project.folder, limit=120)


def _check_run(
    project: Project, reference: Project, file: str, changed: bytes, run: Callable[[Project], Finished]
) -> None:
    """Check that a run gives the results of the reference, if necessary after deleting the file that it names."""
    done = run(project)
    if done.code != 0:
        if not _names(done.output, file):
            raise Failure("unclear message", f"the run fails and does not name the file: {done.output[-500:]}")
        _check_no_traceback(done.output)
        (project.folder / file).with_name(_subject(Path(file).name)).unlink(missing_ok=True)
        done = run(project)
        if done.code != 0:
            raise Failure("wrong result", f"deleted and run again, the run fails: {done.output[-500:]}")
    _check_no_traceback(done.output)
    check_clean(project.folder)
    path = project.folder / file
    stays = path.exists() and path.read_bytes() == changed
    if not stays:
        check_complete(project.folder)
    expected = content(reference, tracked=not (stays and file == DATABASE))
    if not stays:
        check_equal(content(project), expected)
        return
    if path.is_relative_to(project.path()):
        expected.pop(path.relative_to(project.path()).as_posix(), None)
    check_equal(_content_without(project, file), expected)


def _content_without(project: Project, file: str) -> dict[str, Any]:
    """Return the content of a study except the damaged file, which may be unreadable."""
    if file == DATABASE:
        return content(project, tracked=False)
    damaged = project.folder / file
    aside = damaged.with_name(".aside")
    damaged.rename(aside)
    try:
        return content(project)
    finally:
        aside.rename(damaged)


def _check_answer(name: str, answer: Answer, expected: Answer, file: str) -> None:
    if "Traceback" in answer.errors or answer.code not in (0, 1, 2):
        raise Failure("traceback", f"{name}: {answer.errors[-500:]}")
    if answer.code == 0 and answer.output != expected.output and not _names(answer.output + answer.errors, file):
        raise Failure("wrong result", f"{name} prints {answer.output[-300:]!r}")
    if answer.code != 0 and (not _names(answer.errors, file) or answer.errors.count("\n") > LINES):
        raise Failure("unclear message", f"{name}: {answer.errors[-400:]}")


def _names(text: str, file: str) -> bool:
    """Return whether a message names the file, or its folder in the store or of a trial."""
    path = Path(file)
    return _subject(path.name) in text or (
        re.fullmatch(r"[0-9a-f]{12,24}", path.parent.name) is not None and path.parent.name in text
    )


def _subject(name: str) -> str:
    """Return the name of the file that a checksum belongs to; for any other file, its name."""
    return name[1 : -len(".sha256")] if name.startswith(".") and name.endswith(".sha256") else name


def _check_no_traceback(output: str) -> None:
    if "Traceback (most recent call last)" in output:
        raise Failure("traceback", output[output.index("Traceback (most") :][:1500])

"""Damaged files: what a finished study leaves is emptied, truncated or has bytes flipped, then the study is rerun.

Every kind of file is damaged, that is, one of several that differ in an id alone, such as the records of trials.

After the rerun, the results equal those of the undamaged study, or one line names the damaged file, and deleting it and
running again gives the undamaged results. If the rerun had nothing to do, the file may still be damaged. The study is then
continued in a way that reads the file, with the same requirements: with one more draw, or from the store after its folder
was deleted. This is done for one damage per file, and not for files that only people read (`PRESENTED`). The commands that
read results answer as before, or name the file, before and after the rerun.
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
from attack.study import STUDIES, check_clean, check_equal, check_whole, content, finished_study
from attack.verdict import Failure
from gamtune.files import locked
from gamtune.runtime.warm import start_trainer

# What people and the tracking server read, and no step; the step that writes it makes it anew when it runs again
PRESENTED = (
    "*.svg", "*.png", "*/log.txt", "*/logs/*", "*/report.html", "*/figures/captions.json", "*/.*.svg.sha256",
    "*/.*.png.sha256", "*/figures/.captions.json.sha256", "*/.report.html.sha256", "*/.snakemake_timestamp",
    "results/mlartifacts/*", "results/.mlflow.lock", "*/.lock",
)  # fmt: skip
STORE = "results/store/"
DATABASE = "results/mlflow.db"  # has no checksums, and is read by `gamtune sync` alone
OPTIMUM = "results/small/optimum"  # all that `gamtune predict` reads
ID = re.compile(r"[0-9a-f]{12,}")
STUDY = "gam"
DRAWS = {"search__draws": 6}  # one more than it has
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
    """What the commands that read a study print."""

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
        """Check that each answer is the expected one or names the file.

        Raises
        ------
        Failure
            If it is neither.
        """
        _check_answer("outcome", self.outcome, expected.outcome, file)
        if self.predict and expected.predict:
            _check_answer("predict", self.predict, expected.predict, file)


def prepare(folder: Path) -> None:
    """Run the study that the cases damage, in full, and a trainer for what they train again."""
    os.environ.pop("GAMTUNE_TRAINER", None)
    start_trainer(folder / "trainer.txt", expected=True)
    data = finished_study(folder, STUDY).folder / "data"
    lines = (data / "digits.csv").read_text().splitlines()[:6]
    (data / "new.csv").write_text("".join(line.rpartition(",")[0] + "\n" for line in lines))
    import_once("tensorflow", "keras", "mlflow", "gamtune.plan", "gamtune.serving.predict", "gamtune.tracking.sync")


def files(project: Project, random: Random) -> list[str]:
    """Return a file of every kind among the results, relative to the project; of links to one file, the first counts."""
    found: dict[int, str] = {}
    for path in sorted((project.folder / "results").rglob("*")):
        if path.is_file() and path.stat().st_size:
            found.setdefault(path.stat().st_ino, path.relative_to(project.folder).as_posix())
    kinds: dict[str, list[str]] = {}
    for file in found.values():
        kinds.setdefault(ID.sub("ID", file), []).append(file)
    return [random.choice(kinds[kind]) for kind in sorted(kinds)]


def cases(number: int, seed: int) -> list[str]:
    """Return names of cases; they name files by their number, since the names of trials come from the study."""
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
        If something changed without a message, or the message does not name the file.
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
    """Return the undamaged study with one more draw, which is run when the first case needs it."""
    project = Project(folder / "larger")
    with locked(folder / "larger.lock"):
        if not project.folder.exists():
            _copy(finished_study(folder, STUDY), project)
            done = _go_on(project)
            if done.code != 0:
                shutil.rmtree(project.folder)
                raise RuntimeError(done.output)
    return project


def _copy(project: Project, other: Project) -> None:
    shutil.copytree(project.folder, other.folder, symlinks=True)
    _link_again(other.folder, project.folder)


def _go_on(project: Project) -> Finished:
    """Run the study with one more draw."""
    project.configure(**STUDIES[STUDY] | DRAWS)
    return _rerun(project)


def _rerun(project: Project) -> Finished:
    return project.call(*project.snakemake_command())


def _link_again(folder: Path, reference: Path) -> None:
    """Restore the hard links between trials and store, which a copy has lost."""
    first: dict[int, Path] = {}
    for path in sorted((reference / "results").rglob("*")):
        if path.is_file():
            copy = folder / path.relative_to(reference)
            known = first.setdefault(path.stat().st_ino, copy)
            if known != copy:
                copy.unlink()
                os.link(known, copy)


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
    if file == DATABASE and len(changed) != (reference.folder / file).stat().st_size:  # it was not just flipped
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
        _check_run(project, _larger(folder), file, changed, _go_on)


def _sync(project: Project) -> Answer:
    return gamtune("sync", project.config, cwd=project.folder, limit=120)


def _check_run(
    project: Project, reference: Project, file: str, changed: bytes, run: Callable[[Project], Finished]
) -> None:
    """Run the study; it gives the results of the reference, at once or after the file that it names was deleted."""
    done = run(project)
    if done.code != 0:
        if not _names(done.output, file):
            raise Failure("unclear message", f"the run fails and does not name it: {done.output[-500:]}")
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
        check_whole(project.folder)
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
    """Whether a message names the file, or the folder of the store or of the trial that it lies in."""
    path = Path(file)
    return _subject(path.name) in text or (
        re.fullmatch(r"[0-9a-f]{12,24}", path.parent.name) is not None and path.parent.name in text
    )


def _subject(name: str) -> str:
    """Return the name of the file that a checksum belongs to, or of any other file its own."""
    return name[1 : -len(".sha256")] if name.startswith(".") and name.endswith(".sha256") else name


def _check_no_traceback(output: str) -> None:
    if "Traceback (most recent call last)" in output:
        raise Failure("traceback", output[output.index("Traceback (most") :][:1500])

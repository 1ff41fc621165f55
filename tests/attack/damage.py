"""Damaged files: every file that a finished study leaves is emptied, truncated or has bytes flipped, then the study is rerun.

After the rerun, the results equal those of the undamaged study, or one line names the damaged file, and deleting it and
running again gives the undamaged results. Files that no step reads again (`UNREAD`) may stay damaged, but nothing else may
change. The commands that read results answer as before, or name the file, both before and after the rerun.
"""

import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path
from random import Random
from typing import Any

from project import Finished, Project

from attack.command import Answer, gamtune, import_once
from attack.study import check_clean, check_equal, check_whole, content, make_study
from attack.verdict import Failure
from gamtune.training.warm import start_trainer

# What a person reads and no step does: a damaged one stays until the step that writes it runs again
UNREAD = (
    "*.svg", "*.png", "*/log.txt", "*/logs/*", "*/.snakemake_timestamp", "*/optimum/weights/*", "*/report.html",
    "*/figures/captions.json", "*/gam/*", "results/mlartifacts/*", "results/.mlflow.lock", "*/support.csv",
    "*/tracking/*", "*/split.csv", "*/optimum/*",
    "results/store/*", "*/small/config/*",  # read, and verified, when a job runs again
)  # fmt: skip
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
    predict: Answer

    @classmethod
    def of(cls, project: Project) -> "Answers":
        """Ask them."""
        call = lambda *arguments: gamtune(*arguments, cwd=project.folder, limit=60)  # noqa: E731
        return cls(
            call("outcome", project.config), call("predict", "results/small/optimum/model.keras", "data/new.csv")
        )

    def check(self, expected: "Answers", file: str) -> None:
        """Check that each answer is the expected one or names the file.

        Raises
        ------
        Failure
            If it is neither.
        """
        for name in ("outcome", "predict"):
            _check_answer(name, getattr(self, name), getattr(expected, name), file)


def prepare(folder: Path) -> None:
    """Run the study that the cases damage, in full, and a trainer for what they train again."""
    os.environ.pop("GAMTUNE_TRAINER", None)
    start_trainer(folder / "trainer.txt", expected=True)
    project = _reference(folder)
    made = make_study(project.folder, "gam")
    lines = (made.folder / "data" / "digits.csv").read_text().splitlines()[:6]
    (made.folder / "data" / "new.csv").write_text("".join(line.rpartition(",")[0] + "\n" for line in lines))
    done = _rerun(made)
    if done.code != 0:
        raise RuntimeError(done.output)
    import_once("tensorflow", "keras", "mlflow", "gamtune.plan", "gamtune.decision.predict", "gamtune.tracking.sync")


def files(project: Project) -> list[str]:
    """Return every file of the results, relative to the project; of links to one file, the first."""
    found: dict[int, str] = {}
    for path in sorted((project.folder / "results").rglob("*")):
        if path.is_file() and path.stat().st_size:
            found.setdefault(path.stat().st_ino, path.relative_to(project.folder).as_posix())
    return list(found.values())


def cases(number: int, seed: int) -> list[str]:
    """Return names of cases; they name files by their number, since the names of trials come from the study."""
    return [f"{damage}/{seed}/{index}" for index in range(number) for damage in DAMAGES]


def attempt(folder: Path, case: str) -> int:
    """Try a case.

    Returns
    -------
    int
        1, or 0 if the study has fewer files.

    Raises
    ------
    Failure
        If something changed without a message, or the message does not name the file.
    """
    damage, seed, index = case.split("/", 2)
    reference = _reference(folder)
    random = Random(f"{seed}/{index}")
    listed = Random(seed).sample(names := files(reference), len(names))
    if index.isdecimal() and int(index) >= len(listed):
        return 0
    file = listed[int(index)] if index.isdecimal() else index  # or the path of a file
    project = replace(reference, folder=folder / case.replace("/", "_"))
    shutil.copytree(reference.folder, project.folder, symlinks=True)
    _link_again(project.folder, reference.folder)
    path = project.folder / file
    data = path.read_bytes()
    changed = DAMAGES[damage](random, data)
    if changed == data:
        return 0
    path.chmod(0o644)
    path.write_bytes(changed)
    try:
        _examine(project, reference, file, changed)
    except Failure as failure:
        raise Failure(failure.fault, f"{file} {damage}: {failure.detail}") from None
    shutil.rmtree(project.folder)
    return 1


def _reference(folder: Path) -> Project:
    return Project(folder / "reference")


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


def _examine(project: Project, reference: Project, file: str, changed: bytes) -> None:
    expected = Answers.of(reference)
    Answers.of(project).check(expected, file)
    done = _rerun(project)
    _check_no_traceback(project, done.output)
    if done.code != 0:
        if not _names(done.output, file):
            raise Failure("unclear message", f"the run fails and does not name it: {done.output[-500:]}")
        _check_mended(project, reference, file)
        return
    Answers.of(project).check(expected, file)
    _check_results(project, reference, file, changed)
    synced = gamtune("sync", project.config, cwd=project.folder, limit=120)
    if synced.code != 0 and (not _names(synced.errors, file) or synced.errors.count("\n") > LINES):
        raise Failure("unclear message", f"sync: {synced.errors[-400:]}")


def _check_mended(project: Project, reference: Project, file: str) -> None:
    """Delete the file that the message named and run again."""
    (project.folder / file).unlink(missing_ok=True)
    done = _rerun(project)
    if done.code != 0:
        raise Failure("wrong result", f"deleted and run again, the run fails: {done.output[-500:]}")
    _check_results(project, reference, file, None)


def _check_results(project: Project, reference: Project, file: str, changed: bytes | None) -> None:
    """Compare with the undamaged study; the damaged file itself counts unless no step reads it."""
    path = project.folder / file
    stays = changed is not None and path.exists() and path.read_bytes() == changed
    if stays and not any(fnmatch(file, pattern) for pattern in UNREAD):
        raise Failure("wrong result", "it stays damaged without a message")
    if not stays:
        check_whole(project.folder)
    check_clean(project.folder)
    name = file.removeprefix("results/small/")
    found, expected = (_content_without(one, name if stays else "") for one in (project, reference))
    check_equal(found, expected)


def _content_without(project: Project, name: str) -> dict[str, Any]:
    if not name:
        return content(project)
    hidden = project.folder / "results" / "small" / name
    aside = hidden.with_name(".aside")
    if hidden.exists() and not name.startswith("results/"):
        hidden.rename(aside)
        try:
            said = content(project)
        finally:
            aside.rename(hidden)
        return said
    return content(project)


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
    return path.name in text or (
        re.fullmatch(r"[0-9a-f]{12,24}", path.parent.name) is not None and path.parent.name in text
    )


def _check_no_traceback(project: Project, output: str) -> None:
    if "Traceback (most recent call last)" in output:
        raise Failure("traceback", output[output.index("Traceback (most") :][:1500])

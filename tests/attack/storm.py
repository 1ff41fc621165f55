"""Kill storm: processes of a run are killed at random moments, and the run is repeated to its end.

Each case is one study in a new folder. It is started with ``make run``, a process is killed at a random moment, and this
is repeated; the last run is undisturbed. The results must equal those of an undisturbed run of the same study. If a study
is completed before the last kill, because the killed process was replaced or ended before, its results are compared as
well and it is started again from the beginning.
"""

import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from pathlib import Path
from random import Random

from project import PYTHON_FOLDER, Project

from attack.processes import ended, processes
from attack.study import (
    STUDIES,
    check_clean,
    check_complete,
    check_equal,
    check_logs,
    content,
    finished_study,
    make_study,
)
from attack.verdict import Failure

KILLS = 8  # per case
LIBRARY_LINE = re.compile(r'File "[^"]*(?:/gamtune/|Snakefile|\.smk)')  # a line of a traceback
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
# Killed at a random moment of the run; processes that are listed twice are chosen twice as often
AT_A_MOMENT = ("snakemake", "snakemake", "job", "job", "group")
WHEN_SEEN = ("follower", "sync")  # killed shortly after their start
WITH_A_SERVER = ("server", "child")  # also killed if trials use a server of workers
OWN_SERVER = {"GAMTUNE_WORKERS": ""}  # runs do not share a server of workers
LATEST = 9.0  # seconds after the start of a run
SOON = 1.0  # seconds after the start of a process
MISSES = 3  # consecutive runs that may end before the kill; the next kill is earlier
ENDS = 20.0  # seconds in which all processes must have ended
RUN_ENDS = 240.0


def prepare(folder: Path) -> None:
    """Do nothing, because each study is run undisturbed when its first case ends."""


def cases(number: int, seed: int) -> list[str]:
    """Return names of cases with ``number`` kills in total."""
    names, left = [], number
    while left > 0:
        index, kills = len(names), min(left, KILLS)
        names.append(f"{list(STUDIES)[index % len(STUDIES)]}/{seed}/{index}/{kills}")
        left -= kills
    return names


def attempt(folder: Path, case: str) -> int:
    """Try a case.

    Returns
    -------
    int
        Number of processes that were killed.

    Raises
    ------
    Failure
        If results are lost, duplicated, incomplete or changed, a process is left, or a traceback was printed.
    """
    study, seed, index, kills = case.split("/")
    random = Random(f"{seed}/{index}")
    project = make_study(folder / f"case_{case.replace('/', '_')}", study, **OWN_SERVER)
    targets = AT_A_MOMENT + WHEN_SEEN + (() if study == "cold" else WITH_A_SERVER)
    killed, history = 0, []
    try:
        for _ in range(int(kills)):
            target, number = random.choice(targets), random.choice(SIGNALS)
            delay = random.uniform(0, LATEST if target in AT_A_MOMENT else SOON)
            for _ in range(MISSES):
                victim, finished = _disturbed(project, target, number, delay)
                history.append(f"{number.name} to {target} after {delay:.1f} s: {victim or 'not found'}")
                check_complete(project.folder)
                if finished:
                    _check_end(project, folder, study)
                    shutil.rmtree(project.folder / "results")
                    history.append("the study was completed and started again")
                if victim:
                    killed += 1
                    break
                delay /= 3
        code, output = _run(project)
        if code != 0:
            raise Failure("wrong result", f"the last run ends with {code}: {output[-400:]}")
        _check_end(project, folder, study)
    except Failure as failure:
        raise Failure(
            failure.fault, f"{failure.detail}\n    after {'; '.join(history)}\n    in {project.folder}"
        ) from None
    shutil.rmtree(project.folder)
    return killed


def _check_end(project: Project, folder: Path, study: str) -> None:
    if not ended(project.folder, ENDS):
        left = [process.command[:100] for process in processes(project.folder)]
        raise Failure("process left", f"after the last run: {left}")
    check_complete(project.folder)
    check_clean(project.folder)
    check_logs(project.folder)
    check_equal(content(project), content(finished_study(folder, study)))


def _command(project: Project) -> list[str]:
    snakemake = shlex.join(project.snakemake_command())
    return [
        "make", "run", "--no-print-directory", "--old-file=.venv/installed", f"BIN={shlex.quote(str(PYTHON_FOLDER))}",
        f"CONFIG={project.config}", f"SNAKEMAKE={snakemake}",
    ]  # fmt: skip


def _start(project: Project, log: Path) -> "subprocess.Popen[bytes]":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell ignores SIGINT in commands started with "&"
    with log.open("wb") as output:
        return subprocess.Popen(
            _command(project), cwd=project.folder, env=project.variables(), stdin=subprocess.DEVNULL,
            stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip


def _run(project: Project) -> tuple[int, str]:
    """Run a study to its end; return exit code and output."""
    log = project.folder / "run.txt"
    run = _start(project, log)
    try:
        run.wait(RUN_ENDS)
    except subprocess.TimeoutExpired:
        os.killpg(run.pid, signal.SIGKILL)
        raise Failure("process left", f"the run does not end: {log.read_text()[-300:]}") from None
    return run.returncode, log.read_text(errors="replace")


def _disturbed(project: Project, target: str, number: signal.Signals, delay: float) -> tuple[str, bool]:
    """Run a study, kill one of its processes, and wait for the end.

    Returns
    -------
    str
        The process that was killed, empty if the run ended before it was found.
    bool
        Whether the study is complete nevertheless.
    """
    log = project.folder / "killed_run.txt"
    run = _start(project, log)
    victim = ""
    try:
        start = time.monotonic()
        if target in AT_A_MOMENT:
            while time.monotonic() < start + delay and run.poll() is None:
                time.sleep(0.02)
        while not victim and run.poll() is None:
            if target == "group":
                os.killpg(run.pid, number)
                victim = "the whole group"
                break
            found = [process for process in processes(project.folder) if process.role == target]
            if not found:
                time.sleep(0.02)
                continue
            if target not in AT_A_MOMENT:
                time.sleep(delay)
            try:
                os.kill(found[0].pid, number)
            except ProcessLookupError:
                delay /= 3  # for the next process
                continue
            victim = found[0].command[:60]
        # For any killed process, the run either continues to its end or stops
        try:
            run.wait(RUN_ENDS)
        except subprocess.TimeoutExpired:
            raise Failure("process left", f"the run does not end: {log.read_text()[-300:]}") from None
    finally:
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
    if not ended(project.folder, ENDS):
        left = [process.command[:100] for process in processes(project.folder)]
        for process in processes(project.folder):
            os.kill(process.pid, signal.SIGKILL)
        raise Failure("process left", f"{number.name} to {target} after {delay:.1f} s leaves {left}")
    text = log.read_text(errors="replace")
    interrupted = number == signal.SIGINT and "KeyboardInterrupt" in text and not LIBRARY_LINE.search(text)
    if (
        "Traceback (most recent call last)" in text and not interrupted
    ):  # the imports of Snakemake print one when they are interrupted
        raise Failure(
            "traceback", f"{number.name} to {target}: {text[text.index('Traceback') :][:200]} ... {text[-300:]}"
        )
    return victim, run.returncode == 0

"""Mutated configs: each is planned, or refused in a few short lines with exit code 2.

The configs are the included studies and two studies of tables. A mutation that keeps the meaning must give the same
trials, and one that adds a fault must be refused. The result of any other mutation is not prescribed, but it must not be
a traceback, slow, or use much memory.
"""

import csv
import io
import os
import subprocess
import sys
from pathlib import Path
from random import Random

import yaml

from attack.command import Answer, gamtune, import_once
from attack.config_mutations import MUTATIONS, ONCE, REFUSED, SAME
from attack.verdict import Failure

ROOT = Path(__file__).parents[2]
TABLES = {
    "table": {
        "study": "small", "data": {"source": "table", "path": "data/rows.csv", "target": "y"},
        "search": {"strategy": "random", "draws": 5, "seed": 1},
        "space": {"depth": {"integer": [1, 2]}, "neurons": {"integer": [8, 32], "per": "depth"}, "l1": {"uniform": [0, 0.001]}},
        "training": {"epochs": 2}, "analysis": {"gam": "s(l1, k=3)"},
        "selection": {"rules": ["best_observed", "by_hand"], "by_hand": {"mine": {"neurons": 20}}},
    },
    "groups": {
        "study": "grouped", "data": {"source": "table", "path": "data/rows.csv", "target": "y", "group": "g", "drop": ["x2"],
                                     "validation": {"groups": 2}, "test": {"fraction": 0.2}},
        "search": {"strategy": "manual", "rows": [{"name": "wide", "neurons": 20}, {"name": "deep", "depth": 2, "neurons": [20, 20]}]},
        "selection": {"confirm": {"top": 1}},
    },
}  # fmt: skip
SECONDS, MEGABYTES = 1.5, 250.0  # in addition to the start of Python; together at most 2 s and 300 MB
LINES, CHARACTERS, ALL_CHARACTERS = 20, 500, 4000  # of a message
IN_A_PROCESS_EVERY = 25  # cases are repeated in separate processes, by `gamtune` and by Snakemake
SPECIAL_FILES = ("/dev/zero", "/dev/null", "/proc/self/mem", "data", "no_such_file.yaml")


def prepare(folder: Path) -> None:
    """Write the configs that are mutated, and the table that two of them use."""
    import_once("gamtune.plan")
    (folder / "data").mkdir(parents=True)
    rows = io.StringIO()
    table = csv.writer(rows)
    table.writerow(["x1", "x2", "g", "y"])
    table.writerows([n / 7, n % 5, f"site {n % 6}", "yes" if n % 3 else "no"] for n in range(60))
    (folder / "data" / "rows.csv").write_text(rows.getvalue())
    for path in sorted((ROOT / "config").rglob("*.yaml")):
        (folder / f"original_{path.stem}.yaml").write_bytes(path.read_bytes())
    for name, config in TABLES.items():
        (folder / f"original_{name}.yaml").write_text(yaml.safe_dump(config, sort_keys=False))


def cases(number: int, seed: int) -> list[str]:
    """Return names of cases: every mutation in turn, each time with another config."""
    once = [f"once/{name}" for name in ONCE] + [f"file/{path}" for path in SPECIAL_FILES]
    names = list(MUTATIONS)
    if number < 2 * len(once):  # a short run tries some of both kinds
        once = Random(seed).sample(once, number // 2)
    return once + [f"{names[index % len(names)]}/{seed}/{index}" for index in range(number - len(once))]


def attempt(folder: Path, case: str) -> int:
    """Try a case.

    Returns
    -------
    int
        Number of mutated configs that were tried.

    Raises
    ------
    Failure
        If the result is not the expected one.
    """
    kind, *rest = case.split("/", 2)
    work = folder / case.replace("/", "_")
    work.mkdir()
    (work / "data").symlink_to(folder / "data")
    if kind == "file":
        path = "/".join(rest)
        _examine(gamtune("check", path, cwd=work), REFUSED, work)
        return 1
    originals = sorted(folder.glob("original_*.yaml"))
    if kind == "once":
        mutation, expected = ONCE[rest[0]]
        original, random = originals[0], Random(0)
    else:
        mutation, expected = MUTATIONS[kind]
        seed, index = map(int, rest)
        random = Random(f"{seed}/{index}")
        original = originals[random.randrange(len(originals))]
    content = mutation(random, original.read_text())
    if content is None:
        return 0
    (work / "mutated.yaml").write_bytes(content)
    answer = gamtune("check", "mutated.yaml", cwd=work)
    _examine(answer, expected, work)
    if expected == SAME:
        tables = [gamtune("table", path, cwd=work) for path in ("mutated.yaml", original)]
        if tables[0].output != tables[1].output:
            raise Failure("wrong result", f"the table differs from that of {original.name}")
    if kind == "once" or index % IN_A_PROCESS_EVERY == 0:
        _compare_with_processes(answer, work)
    return 1


def _examine(answer: Answer, expected: str, work: Path) -> None:
    lines = answer.errors.strip().splitlines()
    shown = answer.errors.strip()[-300:] or answer.output.strip()[:300]
    if "Traceback" in answer.errors or answer.code not in (0, 2):
        kind = "slow" if answer.code == -9 else "traceback"
        raise Failure(kind, f"exit code {answer.code}: {shown}")
    if answer.seconds > SECONDS or answer.megabytes > MEGABYTES:
        raise Failure("slow", f"{answer.seconds:.1f} s, {answer.megabytes:.0f} MB: {shown}")
    if answer.code == 2 and not lines:
        raise Failure("unclear message", "exit code 2 without a message")
    if len(lines) > LINES or any(len(line) > CHARACTERS for line in lines) or len(answer.errors) > ALL_CHARACTERS:
        longest = max(map(len, lines))
        raise Failure("unclear message", f"{len(lines)} lines, the longest of {longest} characters: {shown}")
    if any(not character.isprintable() for line in lines for character in line):
        raise Failure("unclear message", f"control characters: {shown!r}")
    if expected == REFUSED and answer.code == 0:
        raise Failure("not refused", shown)
    if expected == SAME and answer.code != 0:
        raise Failure("not accepted", shown)
    if (left := sorted(path.name for path in work.iterdir() if path.name not in ("data", "mutated.yaml"))) != []:
        raise Failure("incomplete file", f"left behind: {left}")


def _compare_with_processes(answer: Answer, work: Path) -> None:
    """Call `gamtune check` and `snakemake -n` in separate processes; their exit codes must equal that of the call here."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow")}
    check = [sys.executable, "-m", "gamtune", "check", "mutated.yaml"]
    done = subprocess.run(check, cwd=work, env=environment, capture_output=True, text=True, timeout=60, check=False)
    if (done.returncode, done.stderr) != (answer.code, answer.errors):
        raise Failure("wrong result", f"a separate process gives another result: {done.stderr[-300:]}")
    command = [str(Path(sys.executable).with_name("snakemake")), "-n", "--quiet", "all", "--cores", "1"]
    command += ["--snakefile", str(ROOT / "Snakefile"), "--configfile", "mutated.yaml"]
    done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, timeout=120, check=False)
    if "Traceback" in done.stderr:
        raise Failure("traceback", f"snakemake -n: {done.stderr[-300:]}")
    if (done.returncode == 0) != (answer.code == 0):
        raise Failure("wrong result", f"snakemake -n ends with {done.returncode}: {(done.stdout + done.stderr)[-300:]}")

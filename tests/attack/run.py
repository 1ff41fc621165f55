"""Run the cases of an attack in parallel."""

import multiprocessing
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from attack import configs, damage, storm, tables
from attack.verdict import Failure, Verdict


@dataclass(frozen=True)
class Attack:
    """One kind of attack.

    Parameters
    ----------
    prepare : function of a folder
        Writes the files that all cases share.
    cases : function of a number and a seed
        Returns the names of this number of cases.
    attempt : function of the folder and the name of a case
        Tries the case; returns the number of attacks in it, or raises `Failure`.
    """

    prepare: Callable[[Path], None]
    cases: Callable[[int, int], list[str]]
    attempt: Callable[[Path, str], int]


ATTACKS = {
    "storm": Attack(storm.prepare, storm.cases, storm.attempt),
    "damage": Attack(damage.prepare, damage.cases, damage.attempt),
    "tables": Attack(tables.prepare, tables.cases, tables.attempt),
    "configs": Attack(configs.prepare, configs.cases, configs.attempt),
}


def run(name: str, number: int, seed: int, workers: int, folder: Path, case: str | None = None) -> Iterator[Verdict]:
    """Run an attack and yield its verdicts as they are available.

    Parameters
    ----------
    name : str
        One of `ATTACKS`.
    number : int
        Number of cases.
    seed : int
        Random seed of the cases.
    workers : int
        Number of cases that run at the same time.
    folder : Path
        Folder of the cases. Attacks in the same folder share the reference studies.
    case : str, optional
        The only case to run.
    """
    attack = ATTACKS[name]
    attack.prepare(folder)
    chosen = [case] if case else attack.cases(number, seed)
    if workers == 1 or len(chosen) == 1:
        yield from (_verdict(name, folder, one) for one in chosen)
        return
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        yield from pool.imap_unordered(partial(_verdict, name, folder), chosen)


def repeat(name: str, case: str) -> str:
    """Return the command that repeats a case."""
    return f"make attack ATTACK='{name} --case {case}'"


def _verdict(name: str, folder: Path, case: str) -> Verdict:
    try:
        return Verdict(case, tries=ATTACKS[name].attempt(folder, case))
    except Failure as failure:
        return Verdict(case, failure.fault, failure.detail)
    except Exception:  # a fault of the attack itself must not hide the other cases
        return Verdict(case, "traceback", f"in the attack itself: {traceback.format_exc()[-600:]}")

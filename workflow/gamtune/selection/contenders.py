"""Who meets on the test rows: the optimum and its references, all on the same fresh weight seeds."""

import json
from collections.abc import Sequence
from pathlib import Path

from gamtune.config.study import Decision
from gamtune.errors import InputError
from gamtune.results.selection import Compared, Selection
from gamtune.selection.slots import FINAL_SEED, read_candidate, slots
from gamtune.spec import Spec

OPTIMUM = "optimum"


def contenders(decision: Decision) -> list[str]:
    """The optimum, then the candidates that it is compared with: the best row observed, those by hand, the default."""
    names = [slot.name for slot in slots(decision)]
    references = [name for name in names if name in ("observed_1", "default") or name.startswith("by_hand_")]
    return [OPTIMUM, *references]


def _entry(decided: Sequence[Compared], name: str) -> Compared:
    for entry in decided:
        if entry.candidate == name:
            return entry
    known = ", ".join([OPTIMUM, *(entry.candidate for entry in decided)])
    raise InputError([f"contender: got {name[:100]!r}, expected one of {known}"])


def final_folders(study: Path, contender: str, replicates: int) -> list[Path]:
    """Where a contender's final trainings lie, in the order of their weight seeds; the optimum's first is exported."""
    return [study / "final" / contender / str(number) for number in range(1, replicates + 1)]


def final_spec(
    study: Path, contender: str, seed: int, replicate: int, fold: int | None, whole: bool
) -> tuple[Spec | None, str]:
    """A final training, on a weight seed that nothing was chosen by; or None and the reason why there is none.

    Parameters
    ----------
    study : Path
        The study's folder of results, the decision made.
    contender : str
        ``optimum`` or the name of a candidate.
    seed : int
        The config's ``training.seed``.
    replicate : int
        Counts from 1.
    fold : int, optional
        Fold that decides when it stops, where there are folds.
    whole : bool
        It learns from all rows but the test's, for the median number of epochs that its confirmations were best after.
    """
    decided = Selection.of(study)
    if contender == decided.winner:
        return None, "it is the optimum"
    entry = decided.selected
    settings = dict(decided.spec)
    if contender != OPTIMUM:
        entry = _entry(decided.candidates, contender)
        spec = read_candidate(study / "decision" / "candidates.csv", contender).spec
        if spec is None or entry.skipped:
            return None, str(entry.skipped)
        settings = spec.settings()
    if whole:
        settings = {name: value for name, value in settings.items() if name not in ("patience", "min_delta")}
        settings["epochs"] = entry.epochs
    more = {"weight_seed": FINAL_SEED + seed + replicate - 1} | ({"fold": fold} if fold else {})
    return Spec.from_json(json.dumps(settings | more)), ""

"""Slots of the candidates. Snakemake needs their number when it parses the workflow, before they are filled."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gamtune.config.study import SelectionSettings, Study
from gamtune.results.layout import StudyFolder
from gamtune.results.records import Record
from gamtune.results.slots_file import FilledSlot
from gamtune.spec import Spec

# The weight seeds of the search start at training.seed, which is below a million, so that these are never among them
CONFIRMATION_SEED, FINAL_SEED = 1_000_000, 2_000_000


@dataclass(frozen=True)
class Slot:
    """The slot of a candidate, with its rank among the best configurations or the key of a candidate chosen by hand."""

    name: str
    rule: str
    rank: int = 0
    key: str = ""


def slots(selection: SelectionSettings) -> list[Slot]:
    """Return the slots of the selection rules, in the order of the config."""
    found = []
    for rule in selection.rules:
        if rule == "best_observed":
            found += [Slot(f"observed_{rank}", rule, rank=rank) for rank in range(1, selection.confirm.top + 1)]
        elif rule == "by_hand":
            found += [Slot(f"by_hand_{name}", rule, key=name) for name in selection.by_hand]
        else:
            found.append(Slot(rule, rule))
    return found


def fold_of(study: Study, replicate: int) -> int | None:
    """Return the fold that replicate number ``replicate``, from 1, is validated on; None without folds.

    The confirmations and then the final trials take the folds in turn.
    """
    folds = study.data.folds
    return folds[(replicate - 1) % len(folds)]


def confirmation_slots(study: Study, candidates: Iterable[tuple[str, Spec | None, str]]) -> Iterator[FilledSlot]:
    """Yield the slots of the confirmations: every candidate on the same fresh weight seeds.

    Parameters
    ----------
    study : Study
        The config.
    candidates : iterable of (name, spec, reason)
        The candidates; ``spec`` is None if there is none for the given reason.
    """
    for name, spec, reason in candidates:
        for replicate in range(1, study.selection.confirm.replicates + 1):
            seed = CONFIRMATION_SEED + study.training.seed + replicate - 1
            trial = spec.repeated(seed, fold_of(study, replicate)) if spec else None
            yield FilledSlot(f"{name}/{replicate}", name, trial, reason)


def confirmation_records(study: Path, candidate: str, replicates: int) -> list[Record]:
    """Return the records of the confirmations of a candidate, in the order of their weight seeds."""
    folders = (StudyFolder(study).confirmation(candidate, number) for number in range(1, replicates + 1))
    return [Record.read(folder.record) for folder in folders]

"""The finalists: the optimum and its references, which are scored on the test set with the same weight seeds."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from gamtune.config.study import SelectionSettings, Study
from gamtune.results.csv_rows import Candidate
from gamtune.results.layout import FINAL, StudyFolder
from gamtune.results.selection import Selection
from gamtune.results.slots_file import FilledSlot, write_slots
from gamtune.selection.slots import FINAL_SEED, fold_of, slots

OPTIMUM = "optimum"


def finalists(selection: SelectionSettings) -> list[str]:
    """Return the optimum and its references: the best configuration, those chosen by hand, and the default."""
    names = [slot.name for slot in slots(selection)]
    references = [name for name in names if name in ("observed_1", "default") or name.startswith("by_hand_")]
    return [OPTIMUM, *references]


def write_final_slots(study: Study, folder: Path) -> None:
    """Write the slots file of the final trials: every finalist on the same weight seeds, which no selection has used.

    Parameters
    ----------
    study : Study
        The config. With ``selection.final.train_on: train+validation`` a final trial learns from all samples except the
        test set, for the median of the best epochs of its confirmations.
    folder : Path
        The study's folder of results, with the selection made.
    """
    results = StudyFolder(folder)
    write_slots(results.stage(FINAL).slots, _final_slots(study, results))


def _final_slots(study: Study, results: StudyFolder) -> Iterator[FilledSlot]:
    selection = Selection.read(results.selection)
    candidates = Candidate.by_name(results.candidates)
    final, confirmations = study.selection.final, study.selection.confirm.replicates
    on_all = final.train_on == "train+validation"
    for finalist in finalists(study.selection):
        candidate = selection.optimum if finalist == OPTIMUM else finalist
        compared, spec = selection.candidate(candidate), candidates[candidate].spec
        reason = "it is the optimum" if finalist == selection.optimum else compared.skipped or ""
        if reason or spec is None:
            yield from (FilledSlot(f"{finalist}/{n}", candidate, None, reason) for n in range(1, final.replicates + 1))
            continue
        if on_all:
            spec = replace(spec, epochs=int(compared.epochs or 0), patience=None, min_delta=None)
        for number in range(1, final.replicates + 1):
            fold = None if on_all else fold_of(study, confirmations + number)
            trial = spec.repeated(FINAL_SEED + study.training.seed + number - 1, fold)
            yield FilledSlot(f"{finalist}/{number}", candidate, trial)

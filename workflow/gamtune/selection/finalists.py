"""Who meets on the test rows: the optimum and its references, all on the same fresh weight seeds."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from gamtune.config.study import SelectionSettings, Study
from gamtune.results.layout import FINAL, StudyFolder
from gamtune.results.selection import Selection
from gamtune.results.slots_file import FilledSlot, write_slots
from gamtune.selection.slots import FINAL_SEED, fold_of, read_candidates, slots

OPTIMUM = "optimum"


def finalists(selection: SelectionSettings) -> list[str]:
    """The optimum, then the candidates that it is compared with: the best row observed, those by hand, the default."""
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
    decided = Selection.read(results.selection)
    candidates = read_candidates(results.candidates)
    final, confirmations = study.selection.final, study.selection.confirm.replicates
    whole = final.train_on == "train+validation"
    for finalist in finalists(study.selection):
        chosen = decided.winner if finalist == OPTIMUM else finalist
        compared, spec = decided.candidate(chosen), candidates[chosen].spec
        reason = "it is the optimum" if finalist == decided.winner else compared.skipped or ""
        if reason or spec is None:
            yield from (FilledSlot(f"{finalist}/{n}", chosen, None, reason) for n in range(1, final.replicates + 1))
            continue
        if whole:
            spec = replace(spec, epochs=int(compared.epochs or 0), patience=None, min_delta=None)
        for number in range(1, final.replicates + 1):
            fold = None if whole else fold_of(study, confirmations + number)
            trial = spec.repeated(FINAL_SEED + study.training.seed + number - 1, fold)
            yield FilledSlot(f"{finalist}/{number}", chosen, trial)

"""The selection: candidates compared on common fresh weight seeds, and one of them chosen.

Common seeds make the comparison a paired one (Alpaydin, Design and Analysis of Machine Learning Experiments): a seed
that is kind to one candidate tends to be kind to all.
"""

import math
from pathlib import Path
from statistics import fmean, median, stdev
from typing import Literal

from gamtune.analysis.comparable import ON_TEST_ROWS
from gamtune.errors import StepError
from gamtune.numbers import rmse_note, significant
from gamtune.results.dataset import DatasetInfo
from gamtune.results.layout import StudyFolder
from gamtune.results.selection import Compared, Optimism, Selection
from gamtune.selection.one_standard_error import Sized, smallest_within
from gamtune.selection.paired_tests import bootstrap_interval, mean_interval, paired_t
from gamtune.selection.size import count_weights
from gamtune.selection.slots import Candidate, confirmation_records, read_candidates

Choose = Literal["lowest_mean", "one_standard_error"]


def select(study: Path, replicates: int, choose: Choose) -> None:
    """Write ``selection.json``.

    Parameters
    ----------
    study : Path
        The study's folder of results, with ``selection/candidates.csv`` and
        ``confirm/<candidate>/<replicate>/record.json``.
    replicates : int
        How many each candidate has.
    choose : {"lowest_mean", "one_standard_error"}
        The lowest mean validation error, or the smallest network whose mean is within one standard error of it.

    Raises
    ------
    StepError
        If no candidate finished on every seed.
    """
    results = StudyFolder(study)
    data = DatasetInfo.read(results.data.info)
    proposed = read_candidates(results.candidates)
    confirmed = [_confirmed(candidate, study, replicates, data) for candidate in proposed.values()]
    complete = [entry for entry in confirmed if entry.skipped is None]
    if not complete:
        reasons = "; ".join(f"{entry.candidate}: {entry.skipped}" for entry in confirmed)
        raise StepError(f"no candidate could be confirmed: {reasons}")
    winner = _chosen(complete, choose)
    candidates = [entry if entry.skipped or entry is winner else _compared(entry, winner) for entry in confirmed]
    others = [entry for entry in candidates if not (entry.skipped or entry is winner)]
    spec = proposed[winner.candidate].spec
    assert spec is not None  # it has been confirmed
    Selection(
        winner=winner.candidate,
        choose=choose,
        selection=data.selection,
        why=_why(winner, others, replicates, data.selection, data.classes is None),
        weight_seeds=[record.weight_seed for record in confirmation_records(study, winner.candidate, replicates)],
        spec=spec.settings(),
        candidates=candidates,
        optimism=_optimism(candidates),
    ).write(results.selection)


def _compared(entry: Compared, winner: Compared) -> Compared:
    """Return a candidate with its paired difference from the selected one."""
    test = paired_t(entry.replicates, winner.replicates)
    return entry.model_copy(update={"difference": test.difference, "low": test.low, "high": test.high})


def _confirmed(candidate: Candidate, study: Path, replicates: int, data: DatasetInfo) -> Compared:
    """Return a candidate with the results of its confirmations."""
    entry = Compared(
        candidate=candidate.name,
        rule=candidate.rule,
        source=candidate.source,
        observed=candidate.observed,
        predicted=candidate.predicted,
        skipped=candidate.reason or None,
    )
    if candidate.spec is None:
        return entry
    records = confirmation_records(study, candidate.name, replicates)
    failed = [record.reason for record in records if record.status != "ok"]
    if failed:
        return entry.model_copy(update={"skipped": f"{len(failed)} of {replicates} confirmations failed: {failed[0]}"})
    errors = [record.validation_mse for record in records]
    sd = stdev(errors) if replicates > 1 else None
    epochs = round(median(record.best_epoch or 0 for record in records))
    low, high = mean_interval(errors)
    results = {
        "replicates": errors, "mean": fmean(errors), "mean_low": low, "mean_high": high, "sd": sd, "n": replicates,
        "epochs": epochs, "weights": count_weights(candidate.spec, data),
    }  # fmt: skip
    return entry.model_copy(update=results)


def _chosen(complete: list[Compared], choose: Choose) -> Compared:
    best = min(complete, key=lambda entry: entry.score)
    if choose == "lowest_mean" or best.sd is None:
        return best
    sized = [Sized(entry.candidate, entry.score, entry.weights or 0) for entry in complete]
    chosen = smallest_within(sized, best.sd / math.sqrt(best.n)).name
    return next(entry for entry in complete if entry.candidate == chosen)


def _why(winner: Compared, others: list[Compared], replicates: int, selection: str, regression: bool) -> str:
    """A few sentences for a person who asks why this one."""
    mean = significant(winner.score) + rmse_note(winner.score, regression=regression)
    seeds = f"{replicates} fresh weight seeds" if replicates > 1 else "a fresh weight seed"
    name = f"{winner.candidate} ({winner.source})"
    others = sorted(others, key=lambda entry: entry.score)
    if others and others[0].score < winner.score:
        text = (
            f"{name} is the smallest network ({winner.weights} weights) within one standard error of the lowest mean"
            f" {selection} MSE on {seeds}: {mean}"
        )
    else:
        text = f"{name} has the lowest mean {selection} MSE on {seeds}: {mean}"
    flattery = f" {ON_TEST_ROWS}" if selection == "test" else ""
    if not others:
        return f"{text}; no other candidate could be compared.{flattery}"
    text += f"; next is {others[0].candidate} with {significant(others[0].score)}"
    equal = [entry for entry in others if entry.low is None or entry.low <= 0]
    if equal:
        return f"{text}. {len(equal)} of {len(others)} others cannot be told apart from it, each at 95 %.{flattery}"
    return f"{text}. All others are worse, each at 95 %.{flattery}"


def _optimism(compared: list[Compared]) -> Optimism | None:
    """The winner's curse: by how much the best row's own score beats the mean of its fresh replicates, bootstrapped."""
    best = next((entry for entry in compared if entry.candidate == "observed_1"), None)
    if best is None or best.observed is None or not best.n:
        return None
    low, high = bootstrap_interval([error - best.observed for error in best.replicates])
    difference = best.score - best.observed
    return Optimism(
        row=best.source, observed=best.observed, fresh_mean=best.score, difference=difference, low=low, high=high
    )

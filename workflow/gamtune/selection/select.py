"""The step `select`: compare the candidates on common fresh weight seeds and select one of them.

The seeds are the same for all candidates, so that the comparisons are paired (Alpaydin 2020, Introduction to Machine
Learning, chapter 20): part of the effect of a seed is common to all candidates and cancels in the differences.
"""

import math
from pathlib import Path
from statistics import fmean, median, stdev
from typing import Literal

from gamtune.analysis.comparable import ON_TEST_ROWS
from gamtune.errors import StepError
from gamtune.numbers import rmse_note, significant
from gamtune.results.csv_rows import Candidate
from gamtune.results.dataset import DatasetInfo
from gamtune.results.layout import StudyFolder
from gamtune.results.selection import Compared, Optimism, Selection
from gamtune.selection.one_standard_error import Sized, smallest_within
from gamtune.selection.paired_tests import bootstrap_interval, mean_interval, paired_t
from gamtune.selection.size import count_weights
from gamtune.selection.slots import confirmation_records

Choose = Literal["lowest_mean", "one_standard_error"]


def select(study: Path, replicates: int, choose: Choose) -> None:
    """Select a candidate and write ``selection.json``.

    Parameters
    ----------
    study : Path
        The study's folder of results, with ``selection/candidates.csv`` and
        ``confirm/<candidate>/<replicate>/record.json``.
    replicates : int
        Number of confirmations of each candidate.
    choose : {"lowest_mean", "one_standard_error"}
        Select the candidate with the lowest mean validation MSE, or the smallest network whose mean is within one
        standard error of it.

    Raises
    ------
    StepError
        If no candidate has finished all confirmations.
    """
    results = StudyFolder(study)
    data = DatasetInfo.read(results.data.info)
    proposed = Candidate.by_name(results.candidates)
    confirmed = [_confirmed(candidate, study, replicates, data) for candidate in proposed.values()]
    complete = [entry for entry in confirmed if entry.skipped is None]
    if not complete:
        reasons = "; ".join(f"{entry.candidate}: {entry.skipped}" for entry in confirmed)
        raise StepError(f"no candidate could be confirmed: {reasons}")
    optimum = _selected(complete, choose)
    candidates = [entry if entry.skipped or entry is optimum else _compared(entry, optimum) for entry in confirmed]
    others = [entry for entry in candidates if not (entry.skipped or entry is optimum)]
    spec = proposed[optimum.candidate].spec
    assert spec is not None  # only candidates with a spec are confirmed
    Selection(
        optimum=optimum.candidate,
        choose=choose,
        selected_on=data.selected_on,
        why=_why(optimum, others, replicates, data.selected_on, data.classes is None),
        weight_seeds=[record.weight_seed for record in confirmation_records(study, optimum.candidate, replicates)],
        spec=spec.settings(),
        candidates=candidates,
        optimism=_optimism(candidates),
    ).write(results.selection)


def _compared(entry: Compared, optimum: Compared) -> Compared:
    """Return a candidate with its paired difference from the selected one."""
    test = paired_t(entry.replicates, optimum.replicates)
    return entry.model_copy(update={"difference": test.difference, "low": test.low, "high": test.high})


def _confirmed(candidate: Candidate, study: Path, replicates: int, data: DatasetInfo) -> Compared:
    """Return a candidate with the results of its confirmations."""
    entry = Compared(
        candidate=candidate.candidate,
        rule=candidate.rule,
        source=candidate.source,
        observed=candidate.observed,
        predicted=candidate.predicted,
        skipped=candidate.reason,
    )
    if candidate.spec is None:
        return entry
    records = confirmation_records(study, candidate.candidate, replicates)
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


def _selected(complete: list[Compared], choose: Choose) -> Compared:
    best = min(complete, key=lambda entry: entry.score)
    if choose == "lowest_mean" or best.sd is None:
        return best
    sized = [Sized(entry.candidate, entry.score, entry.weights or 0) for entry in complete]
    selected = smallest_within(sized, best.sd / math.sqrt(best.n)).name
    return next(entry for entry in complete if entry.candidate == selected)


def _why(optimum: Compared, others: list[Compared], replicates: int, selected_on: str, regression: bool) -> str:
    """Return the reason for the selection in a few sentences."""
    mean = significant(optimum.score) + rmse_note(optimum.score, regression=regression)
    seeds = f"over {replicates} fresh weight seeds" if replicates > 1 else "on a fresh weight seed"
    name = f"{optimum.candidate} ({optimum.source})"
    others = sorted(others, key=lambda entry: entry.score)
    criterion = f"mean {selected_on} MSE {seeds}" if replicates > 1 else f"{selected_on} MSE {seeds}"
    if others and others[0].score < optimum.score:
        text = (
            f"{name} is the smallest network ({optimum.weights} weights) within one standard error of the lowest "
            f"{criterion}: {mean}."
        )
    else:
        text = f"{name} has the lowest {criterion}: {mean}."
    sentences = [text, _others_in_words(others), ON_TEST_ROWS if selected_on == "test" else ""]
    return " ".join(filter(None, sentences))


def _others_in_words(others: list[Compared]) -> str:
    """Return how the other candidates, in the order of their scores, differ from the selected one."""
    if not others:
        return "No other candidate could be compared."
    next_best = f"The next candidate is {others[0].candidate} with {significant(others[0].score)}"
    if any(entry.low is None for entry in others):
        return f"{next_best}; a single seed gives no interval for the difference."
    unclear = sum(entry.low is not None and entry.low <= 0 for entry in others)
    if len(others) == 1:
        return f"{next_best}; the difference is {'not ' if unclear else ''}significant (95 % interval)."
    if unclear:
        return f"{next_best}. {unclear} of {len(others)} differences from other candidates are not significant."
    return f"{next_best}. All other candidates are significantly worse (95 % intervals)."


def _optimism(compared: list[Compared]) -> Optimism | None:
    """Return how optimistic the score of the best configuration in the search is, with a bootstrap interval."""
    best = next((entry for entry in compared if entry.candidate == "observed_1"), None)
    if best is None or best.observed is None or not best.n:
        return None
    low, high = bootstrap_interval([error - best.observed for error in best.replicates])
    difference = best.score - best.observed
    return Optimism(
        row=best.source, observed=best.observed, fresh_mean=best.score, difference=difference, low=low, high=high
    )

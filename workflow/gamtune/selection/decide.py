"""The decision: candidates compared on common fresh weight seeds, and one of them chosen.

Common seeds make the comparison a paired one (Alpaydin, Design and Analysis of Machine Learning Experiments): a seed
that is kind to one candidate tends to be kind to all.
"""

import json
import math
from pathlib import Path
from statistics import fmean, median, stdev
from typing import Any, Literal

from gamtune.analysis.comparable import ON_TEST_ROWS
from gamtune.errors import StepError
from gamtune.files import read_json, write_text
from gamtune.numbers import rmse_note, significant
from gamtune.results.layout import StudyFolder
from gamtune.selection.one_standard_error import Sized, smallest_within
from gamtune.selection.paired_tests import bootstrap_interval, mean_interval, paired_t
from gamtune.selection.size import count_weights
from gamtune.selection.slots import Candidate, confirmation_records, read_candidates

Choose = Literal["lowest_mean", "one_standard_error"]


def decide(study: Path, replicates: int, choose: Choose) -> None:
    """Write ``decision.json``.

    Parameters
    ----------
    study : Path
        The study's folder of results, with ``decision/candidates.csv`` and
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
    data = read_json(results.data.info, "selection", "inputs", "classes")
    selection = data["selection"]
    proposed = read_candidates(results.candidates)
    compared = [_compared(candidate, study, replicates) for candidate in proposed.values()]
    complete = [entry for entry in compared if entry["skipped"] is None]
    if not complete:
        reasons = "; ".join(f"{entry['candidate']}: {entry['skipped']}" for entry in compared)
        raise StepError(f"no candidate could be confirmed: {reasons}")
    specs = {name: candidate.spec for name, candidate in proposed.items() if candidate.spec}
    for entry in complete:
        entry["weights"] = count_weights(specs[entry["candidate"]], data)
    winner = _chosen(complete, choose)
    for entry in complete:
        if entry is not winner:
            told = paired_t(entry["replicates"], winner["replicates"])
            entry |= {"difference": told.difference, "low": told.low, "high": told.high}
    decision = {
        "winner": winner["candidate"],
        "choose": choose,
        "selection": selection,
        "why": _why(winner, complete, replicates, selection, choose, data["classes"] is None),
        "weight_seeds": [
            record["spec"]["weight_seed"] for record in confirmation_records(study, winner["candidate"], replicates)
        ],
        "spec": specs[winner["candidate"]].settings(),
        "candidates": compared,
        "optimism": _optimism(compared),
    }
    write_text(results.selection, json.dumps(decision, indent=1, allow_nan=False) + "\n")


def _compared(candidate: Candidate, study: Path, replicates: int) -> dict[str, Any]:
    """What is known of a candidate before any comparison."""
    entry: dict[str, Any] = {
        "candidate": candidate.name, "rule": candidate.rule, "source": candidate.source,
        "observed": candidate.observed, "predicted": candidate.predicted,
        "replicates": [], "mean": None, "mean_low": None, "mean_high": None, "sd": None, "n": 0, "epochs": None,
        "weights": None,
        "difference": None, "low": None, "high": None, "skipped": candidate.reason or None,
    }  # fmt: skip
    if candidate.spec is None:
        return entry
    records = confirmation_records(study, candidate.name, replicates)
    failed = [record["reason"] for record in records if record["status"] != "ok"]
    if failed:
        return entry | {"skipped": f"{len(failed)} of {replicates} confirmations failed: {failed[0]}"}
    errors = [record["metrics"]["validation"]["mse"] for record in records]
    sd = stdev(errors) if replicates > 1 else None
    epochs = round(median(record["best_epoch"] for record in records))
    low, high = mean_interval(errors)
    return entry | {
        "replicates": errors, "mean": fmean(errors), "mean_low": low, "mean_high": high, "sd": sd, "n": replicates,
        "epochs": epochs,
    }  # fmt: skip


def _chosen(complete: list[dict[str, Any]], choose: Choose) -> dict[str, Any]:
    best = min(complete, key=lambda entry: float(entry["mean"]))
    if choose == "lowest_mean" or best["sd"] is None:
        return best
    sized = [Sized(entry["candidate"], entry["mean"], entry["weights"]) for entry in complete]
    chosen = smallest_within(sized, best["sd"] / math.sqrt(best["n"])).name
    return next(entry for entry in complete if entry["candidate"] == chosen)


def _why(
    winner: dict[str, Any],
    complete: list[dict[str, Any]],
    replicates: int,
    selection: str,
    choose: Choose,
    regression: bool,
) -> str:
    """A few sentences for a person who asks why this one."""
    mean = significant(winner["mean"]) + rmse_note(winner["mean"], regression=regression)
    seeds = f"{replicates} fresh weight seeds" if replicates > 1 else "a fresh weight seed"
    name = f"{winner['candidate']} ({winner['source']})"
    others = sorted((entry for entry in complete if entry is not winner), key=lambda entry: float(entry["mean"]))
    if others and others[0]["mean"] < winner["mean"]:
        text = (
            f"{name} is the smallest network ({winner['weights']} weights) within one standard error of the lowest mean"
            f" {selection} MSE on {seeds}: {mean}"
        )
    else:
        text = f"{name} has the lowest mean {selection} MSE on {seeds}: {mean}"
    flattery = f" {ON_TEST_ROWS}" if selection == "test" else ""
    if not others:
        return f"{text}; no other candidate could be compared.{flattery}"
    text += f"; next is {others[0]['candidate']} with {significant(others[0]['mean'])}"
    equal = [entry for entry in others if entry["low"] is None or entry["low"] <= 0]
    if equal:
        return f"{text}. {len(equal)} of {len(others)} others cannot be told apart from it, each at 95 %.{flattery}"
    return f"{text}. All others are worse, each at 95 %.{flattery}"


def _optimism(compared: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The winner's curse: by how much the best row's own score beats the mean of its fresh replicates, bootstrapped."""
    best = next((entry for entry in compared if entry["candidate"] == "observed_1"), None)
    if best is None or not best["n"]:
        return None
    low, high = bootstrap_interval([error - best["observed"] for error in best["replicates"]])
    return {
        "row": best["source"], "observed": best["observed"], "fresh_mean": best["mean"],
        "difference": best["mean"] - best["observed"], "low": low, "high": high,
    }  # fmt: skip

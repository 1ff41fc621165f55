"""The decision: candidates compared on common fresh weight seeds; the lowest mean validation error wins.

Common seeds make the comparison a paired one (Alpaydin, Design and Analysis of Machine Learning Experiments): a seed
that is kind to one candidate tends to be kind to all.
"""

import json
import math
from pathlib import Path
from statistics import fmean, median, stdev
from typing import Any

from scipy.stats import t as student

from gamtune.analysis.comparable import ON_TEST_ROWS
from gamtune.decision.slots import Candidate, confirmation_records, read_candidates
from gamtune.files import write_text

CONFIDENCE = 0.95


def decide(study: Path, replicates: int) -> None:
    """Write ``decision.json``.

    Parameters
    ----------
    study : Path
        The study's folder of results, with ``decision/candidates.csv`` and
        ``confirm/<candidate>/<replicate>/record.json``.
    replicates : int
        How many each candidate has.

    Raises
    ------
    ValueError
        If no candidate finished on every seed.
    """
    selection = json.loads((study / "data" / "digest.json").read_text(encoding="utf-8"))["selection"]
    proposed = read_candidates(study / "decision" / "candidates.csv")
    compared = [_compared(candidate, study, replicates) for candidate in proposed.values()]
    complete = [entry for entry in compared if entry["skipped"] is None]
    if not complete:
        reasons = "; ".join(f"{entry['candidate']}: {entry['skipped']}" for entry in compared)
        raise ValueError(f"no candidate could be confirmed: {reasons}")
    winner = min(complete, key=lambda entry: entry["mean"])
    for entry in complete:
        entry |= _paired_difference(entry["replicates"], winner["replicates"]) if entry is not winner else {}
    spec = proposed[winner["candidate"]].spec
    assert spec is not None  # a complete candidate has one
    decision = {
        "winner": winner["candidate"],
        "selection": selection,
        "why": _why(winner, complete, replicates, selection),
        "weight_seeds": [
            record["spec"]["weight_seed"] for record in confirmation_records(study, winner["candidate"], replicates)
        ],
        "spec": spec.settings(),
        "candidates": compared,
        "optimism": _optimism(compared),
    }
    write_text(study / "decision" / "decision.json", json.dumps(decision, indent=1, allow_nan=False) + "\n")


def _compared(candidate: Candidate, study: Path, replicates: int) -> dict[str, Any]:
    """What is known of a candidate before any comparison."""
    entry: dict[str, Any] = {
        "candidate": candidate.name, "rule": candidate.rule, "source": candidate.source,
        "observed": candidate.observed, "predicted": candidate.predicted,
        "replicates": [], "mean": None, "sd": None, "n": 0, "epochs": None,
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
    return entry | {"replicates": errors, "mean": fmean(errors), "sd": sd, "n": replicates, "epochs": epochs}


def _paired_difference(errors: list[float], winner: list[float]) -> dict[str, float | None]:
    """Mean difference to the winner over the common seeds, with Student's interval; none from a single seed."""
    differences = [error - best for error, best in zip(errors, winner, strict=True)]
    mean = fmean(differences)
    if len(differences) < 2:
        return {"difference": mean, "low": None, "high": None}
    half = (
        float(student.ppf((1 + CONFIDENCE) / 2, len(differences) - 1))
        * stdev(differences)
        / math.sqrt(len(differences))
    )
    return {"difference": mean, "low": mean - half, "high": mean + half}


def _why(winner: dict[str, Any], complete: list[dict[str, Any]], replicates: int, selection: str) -> str:
    """A few sentences for a person who asks why this one."""
    seeds = f"{replicates} fresh weight seeds" if replicates > 1 else "a fresh weight seed"
    name = f"{winner['candidate']} ({winner['source']})"
    text = f"{name} has the lowest mean {selection} MSE on {seeds}: {winner['mean']:.4g}"
    others = sorted((entry for entry in complete if entry is not winner), key=lambda entry: float(entry["mean"]))
    flattery = f" {ON_TEST_ROWS}" if selection == "test" else ""
    if not others:
        return f"{text}; no other candidate could be compared.{flattery}"
    text += f"; next is {others[0]['candidate']} with {others[0]['mean']:.4g}"
    equal = [entry for entry in others if entry["low"] is None or entry["low"] <= 0]
    if equal:
        return f"{text}. {len(equal)} of {len(others)} others cannot be told apart from it, each at 95 %.{flattery}"
    return f"{text}. All others are worse, each at 95 %.{flattery}"


def _optimism(compared: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The winner's curse: by how much the best row's own score beats the mean of its fresh replicates."""
    best = next((entry for entry in compared if entry["candidate"] == "observed_1"), None)
    if best is None or not best["n"]:
        return None
    difference = best["mean"] - best["observed"]
    return {"row": best["source"], "observed": best["observed"], "fresh_mean": best["mean"], "difference": difference}

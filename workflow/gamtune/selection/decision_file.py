"""``decision.json``, checked when it is read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gamtune.errors import DamagedError
from gamtune.files import read_json
from gamtune.results.layout import StudyFolder

KEYS = ("winner", "choose", "selection", "why", "weight_seeds", "spec", "candidates", "optimism")


def read_decision(study: Path) -> dict[str, Any]:
    """Read ``decision/decision.json`` in the study's folder of results.

    Raises
    ------
    DamagedError
        If it is damaged, or names a winner that is none of its candidates.
    FileNotFoundError
        If the decision has not been made.
    """
    path = StudyFolder(study).selection
    decision = read_json(path, *KEYS)
    if decision["winner"] not in [entry["candidate"] for entry in decision["candidates"]]:
        raise DamagedError(path, f"its winner {decision['winner']!r} is none of its candidates")
    return decision


def winner_of(decision: Mapping[str, Any]) -> dict[str, Any]:
    """Return the winning candidate's entry."""
    winner: dict[str, Any] = next(entry for entry in decision["candidates"] if entry["candidate"] == decision["winner"])
    return winner

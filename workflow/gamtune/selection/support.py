"""Whether a candidate lies among the rows that were tried: nothing is known of settings beyond them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import log10
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from gamtune.config.settings import PER_LAYER
from gamtune.numbers import compact
from gamtune.search.table import cells
from gamtune.spec import SETTINGS, Spec

NOT_COMPARED = ("patience", "min_delta", "threads")  # of the training's end and its machine, not of the network
SMALLEST = 1e-300  # stands for 0, which has no logarithm
COLUMNS = ("candidate", "parameter", "value", "low", "high", "quantile", "warning")


@dataclass(frozen=True)
class Support:
    """One setting of a candidate beside the rows': their range, the share of rows at or below it, and what is wrong."""

    parameter: str
    value: float | str
    low: float | None
    high: float | None
    quantile: float | None
    warning: str


def values_of(spec: Spec) -> dict[str, Any]:
    """The settings that a candidate is compared by: one value each, per-layer vectors by what is made of them."""
    told = cells(spec, [name for name in SETTINGS if name not in NOT_COMPARED])
    return {"depth": spec.depth} | {
        name: value for name, value in told.items() if name not in PER_LAYER and value is not None
    }


def support(candidate: Spec, rows: Sequence[Spec]) -> list[Support]:
    """Each setting that varies among the rows or that the candidate has otherwise, in the order of the settings."""
    tried = [values_of(row) for row in rows]
    found = []
    for name, value in values_of(candidate).items():
        others = [row[name] for row in tried if name in row]
        if set(others) == {value}:
            continue
        found.append(_text(name, value, others) if isinstance(value, str) else _number(name, value, others))
    return found


def _text(name: str, value: str, others: list[Any]) -> Support:
    warning = "" if value in others else f"{name} {value} was in no row tried"
    return Support(name, value, None, None, None, warning)


def _number(name: str, value: float, others: list[Any]) -> Support:
    numbers = np.array([other for other in others if not isinstance(other, str)], dtype=float)
    if not len(numbers):
        return Support(name, value, None, None, None, f"{name} {compact(value, 4)} was in no row tried")
    low, high = float(numbers.min()), float(numbers.max())
    tried = f"({compact(low, 4)} to {compact(high, 4)})" if low < high else f"(all {compact(low, 4)})"
    warning = ""
    if value < low:
        warning = f"{name} {compact(value, 4)} is below every row tried {tried}"
    elif value > high:
        warning = f"{name} {compact(value, 4)} is above every row tried {tried}"
    return Support(name, value, low, high, float((numbers <= value).mean()), warning)


def distances(
    candidates: Mapping[str, Spec], rows: Sequence[Spec], log_columns: Collection[str] = ()
) -> tuple[dict[str, float], float]:
    """How far each candidate is from the nearest row, and how far a row usually is from the next (the median).

    In the settings that vary among the rows, each scaled to its range, or to the range of its logarithms if it is one
    of ``log_columns``; texts that differ lie 1 apart. Where all rows are alike the usual distance is 0.
    """
    tried = [values_of(row) for row in {row.without_seed(): row for row in rows}.values()]
    asked = {name: values_of(spec) for name, spec in candidates.items()}
    logged = [name for name in log_columns if all(row.get(name, 1) > 0 for row in tried)]
    tried, asked = [_logged(row, logged) for row in tried], {name: _logged(row, logged) for name, row in asked.items()}
    axes = [name for name in tried[0] if all(name in row for row in tried) and len({row[name] for row in tried}) > 1]
    places = np.array([_place(row, axes, tried) for row in tried])
    if not axes:
        return dict.fromkeys(candidates, 0.0), 0.0
    tree = cKDTree(places)
    usual = float(np.median(tree.query(places, k=2)[0][:, 1]))
    near = {name: float(tree.query(_place(values, axes, tried))[0]) for name, values in asked.items()}
    return near, usual


def _logged(values: Mapping[str, Any], log_columns: Collection[str]) -> dict[str, Any]:
    """Replace values by their logarithms; a candidate's 0 lies far below every row."""
    return {name: log10(value or SMALLEST) if name in log_columns else value for name, value in values.items()}


def _place(values: Mapping[str, Any], axes: Sequence[str], tried: Sequence[Mapping[str, Any]]) -> list[float]:
    place: list[float] = []
    for name in axes:
        others = [row[name] for row in tried]
        if isinstance(others[0], str):
            place += [float(values.get(name) == level) / np.sqrt(2) for level in sorted(set(others))]
        else:
            low, span = min(others), max(others) - min(others)
            place.append((values.get(name, low) - low) / span)
    return place

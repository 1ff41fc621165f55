"""Whether a candidate is within the range of the configurations that the search tried."""

from collections.abc import Collection, Mapping, Sequence
from math import log10
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from gamtune.config.settings import PER_LAYER
from gamtune.numbers import compact
from gamtune.results.csv_rows import Support
from gamtune.search.table import cells
from gamtune.spec import SETTINGS, Spec

NOT_COMPARED = ("patience", "min_delta", "threads")  # these do not describe the network or its training steps
SMALLEST = 1e-300  # replaces 0, which has no logarithm


def values_of(spec: Spec) -> dict[str, Any]:
    """Return the hyperparameters by which configurations are compared; vectors per layer as their derived columns."""
    columns = cells(spec, [name for name in SETTINGS if name not in NOT_COMPARED])
    return {"depth": spec.depth} | {
        name: value for name, value in columns.items() if name not in PER_LAYER and value is not None
    }


def support(candidate: str, spec: Spec, configurations: Sequence[Spec]) -> list[Support]:
    """Compare a candidate with the configurations tried.

    Parameters
    ----------
    candidate : str
        Name of the candidate.
    spec : Spec
        Its configuration.
    configurations : sequence of Spec
        The configurations tried.

    Returns
    -------
    list of Support
        One entry per hyperparameter that varies in the search or that differs in the candidate.
    """
    tried = [values_of(spec) for spec in configurations]
    found = []
    for name, value in values_of(spec).items():
        others = [values[name] for values in tried if name in values]
        if set(others) == {value}:
            continue
        compared = _text if isinstance(value, str) else _number
        found.append(compared(candidate, name, value, others))
    return found


def _text(candidate: str, name: str, value: str, others: list[Any]) -> Support:
    warning = "" if value in others else f"{name} {value} was not tried"
    return Support(candidate, name, value, None, None, None, warning)


def _number(candidate: str, name: str, value: float, others: list[Any]) -> Support:
    numbers = np.array([other for other in others if not isinstance(other, str)], dtype=float)
    if not len(numbers):
        return Support(candidate, name, value, None, None, None, f"{name} {compact(value, 4)} was not tried")
    low, high = float(numbers.min()), float(numbers.max())
    tried = f"the range tried ({compact(low, 4)} to {compact(high, 4)})"
    if low == high:
        tried = f"the only value tried ({compact(low, 4)})"
    warning = ""
    if value < low:
        warning = f"{name} {compact(value, 4)} is below {tried}"
    elif value > high:
        warning = f"{name} {compact(value, 4)} is above {tried}"
    return Support(candidate, name, value, low, high, float((numbers <= value).mean()), warning)


def distances(
    candidates: Mapping[str, Spec], configurations: Sequence[Spec], log_columns: Collection[str] = ()
) -> tuple[dict[str, float], float]:
    """Return the distances of the candidates to the configurations tried.

    Distances are Euclidean in the hyperparameters that vary in the search, each scaled to its range, or to the range
    of its logarithms if it is one of ``log_columns``; the distance of two different texts is 1.

    Parameters
    ----------
    candidates : mapping of str to Spec
        The candidates by their names.
    configurations : sequence of Spec
        The configurations tried.
    log_columns : collection of str
        Hyperparameters that are compared on a logarithmic scale.

    Returns
    -------
    nearest : dict of str to float
        Distance of each candidate to the nearest configuration.
    usual : float
        Median distance of a configuration to its nearest neighbour; 0 if all configurations are equal.
    """
    distinct = {spec.without_seed(): spec for spec in configurations}.values()
    tried = [values_of(spec) for spec in distinct]
    logged = [name for name in log_columns if all(values.get(name, 1) > 0 for values in tried)]
    tried = [_logged(values, logged) for values in tried]
    proposed = {name: _logged(values_of(spec), logged) for name, spec in candidates.items()}
    axes = [
        name
        for name in tried[0]
        if all(name in values for values in tried) and len({values[name] for values in tried}) > 1
    ]
    points = np.array([_point(values, axes, tried) for values in tried])
    if not axes:
        return dict.fromkeys(candidates, 0.0), 0.0
    tree = cKDTree(points)
    usual = float(np.median(tree.query(points, k=2)[0][:, 1]))
    near = {name: float(tree.query(_point(values, axes, tried))[0]) for name, values in proposed.items()}
    return near, usual


def _logged(values: Mapping[str, Any], log_columns: Collection[str]) -> dict[str, Any]:
    """Return the values with logarithms for some columns; a 0 is then far below every configuration."""
    return {name: log10(value or SMALLEST) if name in log_columns else value for name, value in values.items()}


def _point(values: Mapping[str, Any], axes: Sequence[str], tried: Sequence[Mapping[str, Any]]) -> list[float]:
    """Return the coordinates of a configuration, scaled to the ranges of the configurations tried."""
    point: list[float] = []
    for name in axes:
        others = [values_tried[name] for values_tried in tried]
        if isinstance(others[0], str):
            point += [float(values.get(name) == level) / np.sqrt(2) for level in sorted(set(others))]
        else:
            low, span = min(others), max(others) - min(others)
            point.append((values.get(name, low) - low) / span)
    return point

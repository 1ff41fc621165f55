"""Settings as points of the unit cube, where every parameter is uniform whatever its prior, and back again."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gamtune.config.distributions import Choice, Distribution
from gamtune.search.draws import applies, meeting_conditions
from gamtune.spec import Spec

# Asks for the number of a coordinate; how many values it has, where they are in no order, otherwise 0
Ask = Callable[[str, int], float]


def coordinate(name: str, layer: int | None = None) -> str:
    """Name of a coordinate: the parameter's, and the layer's number where it has one value a layer."""
    return name if layer is None else f"{name}.{layer + 1}"


def unordered(distribution: Distribution) -> int:
    """How many values a distribution has if they are in no order (text, whole vectors), otherwise 0."""
    if isinstance(distribution, Choice) and not all(isinstance(value, int | float) for value in distribution.choice):
        return len(distribution.choice)
    return 0


def only_value(distribution: Distribution) -> list[Any]:
    """The value of a distribution that has no other; empty where there is something to choose."""
    levels = distribution.levels
    return list(levels) if levels is not None and len(levels) == 1 else []


def coordinates(space: Mapping[str, Distribution], depth: int | None) -> dict[str, int]:
    """Every coordinate that some row has, and how many values it has if they are in no order, otherwise 0.

    Parameters
    ----------
    space, depth
        As for `settings_at`.
    """
    deepest = int(space["depth"].support[1]) if "depth" in space else int(depth or 0)
    found: dict[str, int] = {}
    for name, distribution in space.items():
        if not only_value(distribution):
            layers = [None] if distribution.per is None else list(range(deepest))
            found |= {coordinate(name, layer): unordered(distribution) for layer in layers}
    return found


def settings_at(space: Mapping[str, Distribution], ask: Ask, depth: int | None) -> dict[str, Any]:
    """Build a row by asking for the coordinates that it needs, and for no others.

    A parameter's condition is looked at before it is asked for, a layer is asked for only where the row has it.

    Parameters
    ----------
    space : mapping
        Parameter to its distribution.
    ask : callable
        Gives a coordinate's number: of [0, 1), or, where its values are in no order, 0 to their number - 1.
    depth : int, optional
        Hidden layers where the space does not draw their number.
    """
    row: dict[str, Any] = {}
    for name in _in_order(space):
        distribution = space[name]
        if not applies(distribution, row):
            continue
        kinds, fixed = unordered(distribution), only_value(distribution)
        layers = [None] if distribution.per is None else list(range(int(row.get("depth", depth) or 0)))
        values = [fixed[0] if fixed else _value(distribution, ask(coordinate(name, layer), kinds)) for layer in layers]
        row[name] = values[0] if distribution.per is None else values
    return {name: row[name] for name in space if name in row}


def point_of(space: Mapping[str, Distribution], spec: Spec) -> dict[str, float]:
    """The coordinates of a training: those that a row like it would have been asked for."""
    written = {name: _as_written(space[name], spec.value(name)) for name in space}
    row = meeting_conditions({name: value for name, value in written.items() if value is not None}, space)
    point = {}
    for name, value in row.items():
        if only_value(space[name]):
            continue
        if space[name].per is None:
            point[coordinate(name)] = _number(space[name], value)
        else:
            point |= {coordinate(name, layer): _number(space[name], item) for layer, item in enumerate(value)}
    return point


def _in_order(space: Mapping[str, Distribution]) -> list[str]:
    """Parameters with those first that others' conditions or lengths depend on."""
    ordered: dict[str, None] = {}

    def add(name: str) -> None:
        needed = [*(space[name].when or {}), *(["depth"] if space[name].per else [])]
        for other in needed:
            if other in space and other != name and other not in ordered:
                add(other)
        ordered[name] = None

    for name in space:
        add(name)
    return list(ordered)


def _value(distribution: Distribution, number: float) -> Any:
    kinds = unordered(distribution)
    return distribution.quantile(np.array([(number + 0.5) / kinds if kinds else number]))[0]


def _number(distribution: Distribution, value: Any) -> float:
    unit, kinds = distribution.unit(value), unordered(distribution)
    return min(int(unit * kinds), kinds - 1) if kinds else unit


def _as_written(distribution: Distribution, value: Any) -> Any:
    """A spec's per-layer tuple as the space writes it: a list, or one value where the space has one for all layers."""
    if not isinstance(value, tuple):
        return value
    listed = list(value)
    whole = distribution.per is not None or (isinstance(distribution, Choice) and listed in distribution.choice)
    return listed if whole else listed[0]

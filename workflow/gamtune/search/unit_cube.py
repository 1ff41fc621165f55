"""Map configurations to points of the unit cube and back.

In the unit cube every hyperparameter is uniform, so that search strategies do not depend on the priors.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gamtune.config.distributions import Distribution
from gamtune.search.draws import applies, meeting_conditions
from gamtune.spec import Spec

# Returns the number of a coordinate, given its name and how many unordered values it has (0 if they have an order)
Ask = Callable[[str, int], float]


def coordinate(name: str, layer: int | None = None) -> str:
    """Return the name of a coordinate: the hyperparameter, with the number of the layer if it has a value per layer."""
    return name if layer is None else f"{name}.{layer + 1}"


def unordered(distribution: Distribution) -> int:
    """Return how many values a distribution has if they have no order (text, per-layer vectors), otherwise 0."""
    choices = distribution.choices
    if choices is None or all(isinstance(value, int | float) for value in choices):
        return 0
    return len(choices)


def only_value(distribution: Distribution) -> list[Any]:
    """Return the value of a distribution that has a single one; an empty list for all other distributions."""
    levels = distribution.levels
    return list(levels) if levels is not None and len(levels) == 1 else []


def coordinates(space: Mapping[str, Distribution], depth: int | None) -> dict[str, int]:
    """Return the coordinates of the space, each with the number of its unordered values (0 if they have an order).

    Parameters
    ----------
    space, depth
        As in `settings_at`.
    """
    deepest = int(space["depth"].support[1]) if "depth" in space else int(depth or 0)
    found: dict[str, int] = {}
    for name, distribution in space.items():
        if not only_value(distribution):
            layers = [None] if distribution.per is None else list(range(deepest))
            found |= {coordinate(name, layer): unordered(distribution) for layer in layers}
    return found


def settings_at(space: Mapping[str, Distribution], ask: Ask, depth: int | None) -> dict[str, Any]:
    """Return the settings of a configuration, calling ``ask`` for the coordinates that it uses and for no others.

    ``ask`` is not called for hyperparameters whose condition ``when`` is not met, nor for layers beyond the depth of
    the configuration.

    Parameters
    ----------
    space : mapping
        Distribution of each hyperparameter.
    ask : callable
        Returns the number of a coordinate: a probability from 0 to (excluding) 1, or, if the coordinate has unordered
        values, the position of one of them, from 0.
    depth : int, optional
        Number of hidden layers, if it is not part of the space.
    """
    settings: dict[str, Any] = {}
    for name in _in_order(space):
        distribution = space[name]
        if not applies(distribution, settings):
            continue
        kinds, fixed = unordered(distribution), only_value(distribution)
        layers = [None] if distribution.per is None else list(range(int(settings.get("depth", depth) or 0)))
        values = [fixed[0] if fixed else _value(distribution, ask(coordinate(name, layer), kinds)) for layer in layers]
        settings[name] = values[0] if distribution.per is None else values
    return {name: settings[name] for name in space if name in settings}


def point_of(space: Mapping[str, Distribution], spec: Spec) -> dict[str, float]:
    """Return the numbers of the coordinates that a trial uses, by the names of the coordinates."""
    written = {name: _as_written(space[name], spec.value(name)) for name in space}
    settings = meeting_conditions({name: value for name, value in written.items() if value is not None}, space)
    point = {}
    for name, value in settings.items():
        if only_value(space[name]):
            continue
        if space[name].per is None:
            point[coordinate(name)] = _number(space[name], value)
        else:
            point |= {coordinate(name, layer): _number(space[name], item) for layer, item in enumerate(value)}
    return point


def _in_order(space: Mapping[str, Distribution]) -> list[str]:
    """Return the hyperparameters, each after those that its condition or its number of layers depends on."""
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
    if unordered(distribution):
        return (distribution.choices or [])[int(number)]
    return distribution.quantile(np.array([number]))[0]


def _number(distribution: Distribution, value: Any) -> float:
    if unordered(distribution):
        choices = list(distribution.choices or [])
        return choices.index(value) if value in choices else 0
    return distribution.unit(value)


def _as_written(distribution: Distribution, value: Any) -> Any:
    """Return a value of a spec as the space writes it: a list per layer, or one value if all layers share it."""
    if not isinstance(value, tuple):
        return value
    listed = list(value)
    is_vector = distribution.per is not None or listed in (distribution.choices or [])
    return listed if is_vector else listed[0]

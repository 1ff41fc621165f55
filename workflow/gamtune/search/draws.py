"""Draw configurations from a space: from the numbers of a design, or from R's random numbers.

In a random or Sobol design a value depends only on the seed, the number of the configuration and the name of the
hyperparameter. More draws therefore leave the first ones unchanged, and changing the range of one hyperparameter, or
adding one, does not change the values of the others. This does not hold for R's draws, which come from one stream per
configuration.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from gamtune.config.distributions import Distribution
from gamtune.search.designs import Design, random_design
from gamtune.search.r_generator import RStream


def drawn_rows(space: Mapping[str, Distribution], draws: int, design: Design, depth: int | None) -> Iterator[Any]:
    """Draw the configurations of a design.

    Parameters
    ----------
    space : mapping
        Distribution of each hyperparameter.
    draws : int
        Number of configurations.
    design : Design
        Their positions in the unit cube.
    depth : int, optional
        Number of hidden layers, if it is not part of the space; required by per-layer distributions.

    Yields
    ------
    dict
        Value of each hyperparameter; a per-layer one has a list with one value per hidden layer. Hyperparameters
        whose condition ``when`` is not met are left out.
    """
    columns = {name: space[name].quantile(design(name, 0)) for name in space if space[name].per is None}
    depths = columns.get("depth", [depth] * draws)
    layers = {name: _layer_columns(name, space[name], design, depths) for name in space if space[name].per}
    for i in range(draws):
        settings = {name: layers[name][i] if name in layers else columns[name][i] for name in space}
        yield meeting_conditions(settings, space)


def seeded_rows(
    space: Mapping[str, Distribution], seeds: Sequence[int], generator: str, depth: int | None
) -> Iterator[dict[str, Any]]:
    """Draw one configuration per seed, as the lecture does.

    Parameters
    ----------
    space : mapping
        Distribution of each hyperparameter.
    seeds : sequence of int
        From -2147483647 to 2147483647.
    generator : {"numpy", "R-rounding", "R-rejection"}
        The generators of R call ``set.seed`` and then draw the hyperparameters in the order of the space, those with
        one value per layer last.
    depth : int, optional
        Number of hidden layers, if it is not part of the space.

    Yields
    ------
    dict
        Value of each hyperparameter, as in `drawn_rows`.
    """
    for seed in seeds:
        if generator == "R-rounding":
            yield _as_r(space, RStream(seed, "rounding"), depth)
        elif generator == "R-rejection":
            yield _as_r(space, RStream(seed, "rejection"), depth)
        else:
            yield from drawn_rows(space, 1, random_design(seed, 1), depth)


def meeting_conditions(settings: Mapping[str, Any], space: Mapping[str, Distribution]) -> dict[str, Any]:
    """Return the settings without the hyperparameters whose condition ``when`` they do not meet.

    A hyperparameter whose condition refers to one that is removed is removed as well.
    """
    kept = dict(settings)
    while True:
        dropped = [name for name in kept if not applies(space[name], kept)]
        if not dropped:
            return kept
        for name in dropped:
            del kept[name]


def applies(distribution: Distribution, settings: Mapping[str, Any]) -> bool:
    """Return whether the settings of a configuration meet the condition ``when`` of a distribution."""
    conditions = (distribution.when or {}).items()
    return all(settings.get(name) in (values if isinstance(values, list) else [values]) for name, values in conditions)


def _layer_columns(name: str, distribution: Distribution, design: Design, depths: list[Any]) -> list[list[Any]]:
    """Return one list of values per configuration, with one value per layer; each layer has a column of the design."""
    layers = np.array(depths)
    values: list[list[Any]] = [[] for _ in depths]
    for layer in range(max(depths)):
        deeper = np.flatnonzero(layers > layer)
        for i, value in zip(deeper.tolist(), distribution.quantile(design(name, layer)[deeper]), strict=True):
            values[i].append(value)
    return values


def _as_r(space: Mapping[str, Distribution], stream: RStream, depth: int | None) -> dict[str, Any]:
    """Return the settings of one configuration, drawn in R's order: values per layer last."""
    settings = {name: space[name].draw_as_r(stream) for name in space if space[name].per is None}
    layers = int(settings.get("depth", depth) or 0)
    for name in space:
        if space[name].per is not None:
            settings[name] = [space[name].draw_as_r(stream) for _ in range(layers)]
    return meeting_conditions({name: settings[name] for name in space}, space)

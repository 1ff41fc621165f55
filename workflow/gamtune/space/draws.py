"""Seeded random draws: row i of a parameter depends on (seed, i, parameter) alone.

So more draws leave the first ones as they are, and another range or a further parameter redraws nothing else.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from gamtune.config.distributions import Distribution, FloatArray
from gamtune.spec import digest


def random_rows(
    space: Mapping[str, Distribution], draws: int, seed: int, depth: int | None
) -> Iterator[dict[str, Any]]:
    """Draw the rows of a random search.

    Parameters
    ----------
    space : mapping
        Parameter to its distribution.
    draws : int
        Number of rows.
    seed : int
        At least 0.
    depth : int, optional
        Hidden layers where the space does not draw their number; needed by a per-layer distribution.

    Yields
    ------
    dict
        Parameter to value; a per-layer one has as many values as the row has layers. Parameters whose condition the
        row does not meet are absent.
    """
    columns = {
        name: distribution.quantile(unit_draws(seed, name, draws))
        for name, distribution in space.items()
        if distribution.per is None
    }
    depths = columns.get("depth", [depth] * draws)
    layers = {name: _layer_columns(space[name], seed, name, draws, depths) for name in space if space[name].per}
    for i in range(draws):
        row = {name: layers[name][i] if name in layers else columns[name][i] for name in space}
        yield meeting_conditions(row, space)


def unit_draws(seed: int, name: str, draws: int, layer: int = 0) -> FloatArray:
    """(draws,) numbers of [0, 1) from a stream of the parameter's own (numpy's PCG64)."""
    return np.random.default_rng([seed, int(digest(name)[:8], 16), layer]).random(draws)


def meeting_conditions(row: Mapping[str, Any], space: Mapping[str, Distribution]) -> dict[str, Any]:
    """The row without the parameters whose ``when`` it does not meet, nor those that depend on them."""
    kept = dict(row)
    while True:
        dropped = [name for name in kept if not _applies(space[name], kept)]
        if not dropped:
            return kept
        for name in dropped:
            del kept[name]


def _applies(distribution: Distribution, row: Mapping[str, Any]) -> bool:
    conditions = (distribution.when or {}).items()
    return all(row.get(name) in (values if isinstance(values, list) else [values]) for name, values in conditions)


def _layer_columns(distribution: Distribution, seed: int, name: str, draws: int, depths: list[Any]) -> list[list[Any]]:
    """One list of values a row, as long as the row is deep; each layer has its own stream."""
    streams = [distribution.quantile(unit_draws(seed, name, draws, layer)) for layer in range(max(depths))]
    return [[stream[i] for stream in streams[: depths[i]]] for i in range(draws)]

"""Rows drawn from a space: a design's numbers, or R's own draws, turned into values of each parameter's distribution.

A value depends on (seed, row, parameter) alone, so more draws leave the first ones as they are, and another range or a
further parameter redraws nothing else. R's draws come from one stream a row and have no such freedom.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from gamtune.config.distributions import Distribution
from gamtune.search.designs import Design, random_design
from gamtune.search.r_generator import RStream


def drawn_rows(space: Mapping[str, Distribution], draws: int, design: Design, depth: int | None) -> Iterator[Any]:
    """Draw the rows of a design.

    Parameters
    ----------
    space : mapping
        Parameter to its distribution.
    draws : int
        Number of rows.
    design : Design
        Where they lie in the unit cube.
    depth : int, optional
        Hidden layers where the space does not draw their number; needed by a per-layer distribution.

    Yields
    ------
    dict
        Parameter to value; a per-layer one has as many values as the row has layers. Parameters whose condition the
        row does not meet are absent.
    """
    columns = {name: space[name].quantile(design(name, 0)) for name in space if space[name].per is None}
    depths = columns.get("depth", [depth] * draws)
    layers = {name: _layer_columns(name, space[name], design, depths) for name in space if space[name].per}
    for i in range(draws):
        row = {name: layers[name][i] if name in layers else columns[name][i] for name in space}
        yield meeting_conditions(row, space)


def seeded_rows(
    space: Mapping[str, Distribution], seeds: Sequence[int], generator: str, depth: int | None
) -> Iterator[dict[str, Any]]:
    """Draw one row a seed, as the lecture does.

    Parameters
    ----------
    space : mapping
        Parameter to its distribution.
    seeds : sequence of int
        From -2147483647 to 2147483647.
    generator : {"numpy", "R-rounding", "R-rejection"}
        With R's, ``set.seed`` and then every parameter in the space's order, those with a value a layer last.
    depth : int, optional
        As in `drawn_rows`.
    """
    for seed in seeds:
        if generator == "R-rounding":
            yield _as_r(space, RStream(seed, "rounding"), depth)
        elif generator == "R-rejection":
            yield _as_r(space, RStream(seed, "rejection"), depth)
        else:
            yield from drawn_rows(space, 1, random_design(seed, 1), depth)


def meeting_conditions(row: Mapping[str, Any], space: Mapping[str, Distribution]) -> dict[str, Any]:
    """The row without the parameters whose ``when`` it does not meet, nor those that depend on them."""
    kept = dict(row)
    while True:
        dropped = [name for name in kept if not applies(space[name], kept)]
        if not dropped:
            return kept
        for name in dropped:
            del kept[name]


def applies(distribution: Distribution, row: Mapping[str, Any]) -> bool:
    """Whether a row meets a distribution's ``when``."""
    conditions = (distribution.when or {}).items()
    return all(row.get(name) in (values if isinstance(values, list) else [values]) for name, values in conditions)


def _layer_columns(name: str, distribution: Distribution, design: Design, depths: list[Any]) -> list[list[Any]]:
    """One list of values a row, as long as the row is deep; each layer has its own column."""
    deep = np.array(depths)
    rows: list[list[Any]] = [[] for _ in depths]
    for layer in range(max(depths)):
        having = np.flatnonzero(deep > layer)
        for i, value in zip(having.tolist(), distribution.quantile(design(name, layer)[having]), strict=True):
            rows[i].append(value)
    return rows


def _as_r(space: Mapping[str, Distribution], stream: RStream, depth: int | None) -> dict[str, Any]:
    row = {name: space[name].draw_as_r(stream) for name in space if space[name].per is None}
    layers = int(row.get("depth", depth) or 0)
    for name in space:
        if space[name].per is not None:
            row[name] = [space[name].draw_as_r(stream) for _ in range(layers)]
    return meeting_conditions({name: row[name] for name in space}, space)

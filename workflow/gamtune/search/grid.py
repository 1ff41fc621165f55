"""The full grid, in the order of R's ``expand.grid``: the first factor varies fastest."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gamtune.config.distributions import Distribution
from gamtune.errors import InputError
from gamtune.search.draws import meeting_conditions

MAX_GRID_ROWS = 100_000


def grid_rows(space: Mapping[str, Distribution]) -> Iterator[dict[str, Any]]:
    """Combine every level of every parameter.

    Parameters
    ----------
    space : mapping
        Parameter to a distribution whose values can be listed (choice, integer).

    Raises
    ------
    InputError
        If a distribution is continuous or per-layer, or the grid has more than ``MAX_GRID_ROWS`` rows.

    Examples
    --------
    >>> from gamtune.search.distributions.choice import Choice
    >>> space = {"depth": Choice(choice=[1, 2]), "l1": Choice(choice=[0.0, 0.1])}
    >>> [tuple(row.values()) for row in grid_rows(space)]
    [(1, 0.0), (2, 0.0), (1, 0.1), (2, 0.1)]
    """
    levels = {name: _levels(name, distribution) for name, distribution in space.items()}
    rows = math.prod(len(values) for values in levels.values())
    if rows > MAX_GRID_ROWS:
        raise InputError([f"search: this grid has {rows} rows, {MAX_GRID_ROWS} at most; use fewer levels or draws"])
    for values in itertools.product(*reversed(levels.values())):
        yield meeting_conditions(dict(zip(levels, reversed(values), strict=True)), space)


def _levels(name: str, distribution: Distribution) -> Sequence[Any]:
    if distribution.per is not None:
        raise InputError([f"space.{name}.per: a grid draws nothing for each layer; list whole vectors as choices"])
    if distribution.levels is None:
        raise InputError([f"space.{name}: a grid needs levels, and a continuous distribution has none; list them"])
    return distribution.levels

"""The full grid, in the order of R's ``expand.grid``: the first hyperparameter varies fastest."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gamtune.config.distributions import Distribution
from gamtune.errors import InputError
from gamtune.search.draws import meeting_conditions

MAX_GRID_ROWS = 100_000


def grid_rows(space: Mapping[str, Distribution]) -> Iterator[dict[str, Any]]:
    """Yield every combination of the values of all hyperparameters.

    Parameters
    ----------
    space : mapping
        Distribution of each hyperparameter; its values must be listable (choice, integer).

    Yields
    ------
    dict
        Value of each hyperparameter; those whose condition ``when`` is not met are left out.

    Raises
    ------
    InputError
        If a distribution is continuous or per-layer, or the grid has more than ``MAX_GRID_ROWS`` configurations.

    Examples
    --------
    >>> from gamtune.search.distributions.choice import Choice
    >>> space = {"depth": Choice(choice=[1, 2]), "l1": Choice(choice=[0.0, 0.1])}
    >>> [tuple(row.values()) for row in grid_rows(space)]
    [(1, 0.0), (2, 0.0), (1, 0.1), (2, 0.1)]
    """
    levels = {name: _levels(name, distribution) for name, distribution in space.items()}
    size = math.prod(len(values) for values in levels.values())
    if size > MAX_GRID_ROWS:
        problem = f"the grid has {size} configurations, at most {MAX_GRID_ROWS} are allowed"
        raise InputError([f"search: {problem}; list fewer values or use strategy 'random'"])
    for values in itertools.product(*reversed(levels.values())):
        yield meeting_conditions(dict(zip(levels, reversed(values), strict=True)), space)


def _levels(name: str, distribution: Distribution) -> Sequence[Any]:
    if distribution.per is not None:
        raise InputError([f"space.{name}.per: not valid for strategy 'grid'; list vectors with one value per layer"])
    if distribution.levels is None:
        raise InputError([f"space.{name}: a continuous distribution is not valid for strategy 'grid'; list the values"])
    return distribution.levels

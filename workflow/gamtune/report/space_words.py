"""The sections `space` and `search` of a config in words, for readers of the report who have not seen the config."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gamtune.config.distributions import Distribution
from gamtune.config.search import parse_search
from gamtune.config.settings import SETTINGS
from gamtune.config.space_section import parse_distribution
from gamtune.report.findings import joined


@dataclass(frozen=True)
class ParameterWords:
    """A hyperparameter in words: its name, its meaning, its distribution and its range."""

    name: str
    meaning: str
    distribution: str
    range: str


def describe_space(space: Mapping[str, Any]) -> list[ParameterWords]:
    """Return each hyperparameter of the config's section ``space`` in words.

    Examples
    --------
    >>> describe_space({"rho": {"uniform": [0.9, 0.999]}})[0].range
    '0.9 to 0.999'
    """
    parsed = {name: parse_distribution(raw) for name, raw in space.items()}
    return [
        ParameterWords(name, _meaning(name), prior.describe() + _conditions(prior), prior.describe_range())
        for name, prior in parsed.items()
    ]


def _meaning(name: str) -> str:
    """Return the description of a setting without its default and its spelling in the config."""
    return re.split(r"\.(?: |$)|, or a list", SETTINGS[name].description)[0]


def _conditions(distribution: Distribution) -> str:
    """Return in words whether each layer has its own value, and which configurations have the hyperparameter at all."""
    words = ", one value per hidden layer" if distribution.per else ""
    for name, values in (distribution.when or {}).items():
        listed = " or ".join(map(str, values)) if isinstance(values, list) else str(values)
        words += f", only where {name} is {listed}"
    return words


def describe_search(search: Mapping[str, Any]) -> str:
    """Return the config's section ``search`` in words.

    Examples
    --------
    >>> describe_search({"strategy": "gp", "draws": 20, "seed": 1, "rounds": 3, "per_round": None, "rows": []})
    '20 configurations drawn at random (seed 1), then 3 rounds of 10 proposed by a Gaussian process'
    """
    strategy = parse_search(search)
    added = (
        {"the configurations in search.rows": strategy.rows, "the configurations of other studies": strategy.keep}
        if strategy.needs_space
        else {}
    )
    return joined([strategy.describe(), *(words for words, listed in added.items() if listed)])

"""The space in words: what each hyper-parameter was drawn from, for readers who have not seen the config."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gamtune.config.search import parse_search
from gamtune.config.settings import SETTINGS
from gamtune.numbers import compact


@dataclass(frozen=True)
class ParameterWords:
    """One hyper-parameter: what it is, how it was drawn and from where to where."""

    name: str
    meaning: str
    distribution: str
    range: str


def describe_space(space: Mapping[str, Mapping[str, Any]]) -> list[ParameterWords]:
    """Each parameter of the config's section ``space`` in words.

    Examples
    --------
    >>> describe_space({"rho": {"uniform": [0.9, 0.999]}})[0].range
    '0.9 to 0.999'
    """
    return [
        ParameterWords(name, _meaning(name), _distribution(raw) + _conditions(raw), _range(raw))
        for name, raw in space.items()
    ]


def _meaning(name: str) -> str:
    """The setting's description without what is of use only while writing a config: its default, its spelling."""
    return re.split("; |, or a list", SETTINGS[name].description)[0]


def _distribution(raw: Mapping[str, Any]) -> str:
    match raw:
        case {"integer": _}:
            return "whole numbers, equally likely"
        case {"uniform": _}:
            return "uniform"
        case {"log_uniform": _}:
            return "log-uniform: every order of magnitude equally likely"
        case {"normal": [mean, sd]}:
            return f"normal, mean {compact(mean)}, standard deviation {compact(sd)}"
        case {"beta": [a, b]}:
            return f"beta({compact(a)}, {compact(b)}), mean {compact(raw.get('scale', 1.0) * a / (a + b), 2)}"
        case {"choice": [_]}:
            return "fixed"
        case {"choice": _}:
            return "one of these, equally likely"
    raise ValueError(f"no distribution in {raw}")


def _range(raw: Mapping[str, Any]) -> str:
    match raw:
        case {"integer": [low, high]} | {"uniform": [low, high]} | {"log_uniform": [low, high]}:
            return f"{compact(low)} to {compact(high)}"
        case {"beta": _}:
            return f"0 to {compact(raw.get('scale', 1.0))}"
        case {"choice": values}:
            return ", ".join(map(compact, values))
    low, high = raw.get("min"), raw.get("max")
    bounds = [f"from {compact(low)}" if low is not None else "", f"to {compact(high)}" if high is not None else ""]
    return " ".join(filter(None, bounds)) or "unbounded"


def _conditions(raw: Mapping[str, Any]) -> str:
    """Whether it is one value a layer, and in which rows it is drawn at all."""
    words = ", one value a hidden layer" if raw.get("per") else ""
    for name, values in (raw.get("when") or {}).items():
        listed = " or ".join(map(str, values)) if isinstance(values, list) else str(values)
        words += f", only where {name} is {listed}"
    return words


def describe_search(search: Mapping[str, Any]) -> str:
    """The config's section ``search`` in words.

    Examples
    --------
    >>> describe_search({"strategy": "tpe", "draws": 20, "seed": 1, "rounds": 3, "per_round": None, "rows": []})
    '20 rows drawn at random (seed 1), then 3 rounds of 10 rows that TPE proposed from the results'
    """
    strategy = parse_search(search)
    given = {"rows by hand": strategy.rows, "rows of other studies": strategy.keep} if strategy.needs_space else {}
    return " and ".join([strategy.describe(), *(words for words, listed in given.items() if listed)])

"""The section `space` of a config: which distribution each parameter's YAML means, checked against the settings."""

import re
from typing import Any

from pydantic import ValidationError

from gamtune.config.distributions import DISTRIBUTIONS, Choice, Distribution, Integer
from gamtune.config.messages import lines_of
from gamtune.config.settings import SETTINGS, Setting, SettingError
from gamtune.errors import InputError, unknown, unknown_names
from gamtune.numbers import compact

OF_A_KEY = re.compile(r"\w+(\[\d+\])*: ")  # how a line begins that is not of a distribution as a whole


def parse_space(space: Any) -> dict[str, Distribution]:
    """Read the hyper-parameters and their distributions.

    Parameters
    ----------
    space : mapping
        Setting to a distribution such as ``{uniform: [0, 1]}``, to a list (a choice) or to a single value (fixed).

    Raises
    ------
    InputError
        With one line for each fault; its keys count from ``space``.
    """
    if not isinstance(space, dict):
        raise InputError([f"got {space!r}, expected parameters, each with its distribution"])
    parsed: dict[str, Distribution] = {}
    strange = unknown_names([name for name in space if name not in SETTINGS], SETTINGS, "parameter")
    lines = [f"{name}: {message}" if name else f": {message}" for name, message in strange.items()]
    for name, raw in space.items():
        if name not in SETTINGS:
            continue
        try:
            distribution = raw if isinstance(raw, Distribution) else _parse(raw)
            _check_values(name, distribution)
            parsed[name] = distribution
        except InputError as error:
            lines += [f"{name}{'' if line.startswith('.') else ': '}{line}" for line in error.lines]
    if not lines:
        lines = [line for name in parsed for line in _check_references(name, parsed)] or _check_cycles(parsed)
    if lines:
        raise InputError(line.removeprefix(": ") if line.startswith(": ") else f".{line}" for line in lines)
    return parsed


def _parse(raw: Any) -> Distribution:
    """One distribution from its YAML."""
    if raw is None:
        raise InputError(["got nothing, expected a distribution, a list of values or one value"])
    if isinstance(raw, list):
        raw = {"choice": raw}
    if not isinstance(raw, dict):
        raw = {"choice": [raw]}
    names = [key for key in raw if key in DISTRIBUTIONS]
    if len(names) != 1:
        others = [key for key in raw if key not in ("per", "when", "scale", "min", "max")]
        if len(names) == 0 and len(others) == 1:
            raise InputError([f".{others[0]}: {unknown(others[0], DISTRIBUTIONS, 'distribution')}"])
        found = f"got {' and '.join(map(str, names or others)) or 'none'}"
        raise InputError([f"{found}, expected one distribution of {', '.join(DISTRIBUTIONS)}"])
    kind = DISTRIBUTIONS[names[0]]
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        lines = lines_of(error, kind)
        raise InputError(f".{line}" if OF_A_KEY.match(line) else line for line in lines) from None


def _check_values(name: str, distribution: Distribution) -> None:
    """Every value that can be drawn must be one the setting can have."""
    setting = SETTINGS[name]
    if distribution.per and not setting.per_layer:
        raise InputError([f".per: got {distribution.per!r}, but {name} is one value for the whole network"])
    try:
        if isinstance(distribution, Choice):
            for value in distribution.choice:
                _check_choice(name, setting, value)
        elif setting.kind is str:
            raise InputError([f"got a distribution of numbers, expected a choice of {', '.join(setting.choices)}"])
        else:
            _check_support(name, setting, distribution)
    except SettingError as error:
        raise InputError([str(error)]) from None


def _check_choice(name: str, setting: Setting, value: Any) -> None:
    if isinstance(value, list) and not (setting.per_layer and value):
        raise SettingError(name, value, setting.expected)
    for item in value if isinstance(value, list) else [value]:
        setting.parse(name, item)


def _check_support(name: str, setting: Setting, distribution: Distribution) -> None:
    """The ends of a continuous range need not be admissible themselves (0 for an open bound), what lies inside must."""
    if setting.kind is int and not isinstance(distribution, Integer):
        raise InputError(["got a distribution of real numbers, expected whole numbers: {integer: [low, high]}"])
    low, high = distribution.support
    if low < setting.low or high > setting.high or (isinstance(distribution, Integer) and not setting.contains(low)):
        raise InputError([f"reaches from {compact(low, 6)} to {compact(high, 6)}, but {name} is {setting.expected}"])


def _check_references(name: str, space: dict[str, Distribution]) -> list[str]:
    """Other parameters that a distribution names must exist."""
    conditions = space[name].when or {}
    others = [n for n in space if n != name and space[n].per is None]
    strange = unknown_names([n for n in conditions if n not in others], others, "parameter of the space")
    lines = [f"{name}.when{'.' if other else ''}{other}: {message}" for other, message in strange.items()]
    for other in (n for n in conditions if n in others):
        values = conditions[other]
        for value in values if isinstance(values, list) else [values]:
            try:
                SETTINGS[other].parse(other, value)
            except SettingError as error:
                lines.append(f"{name}.when.{other}: {error}")
                break
    return lines


def _check_cycles(space: dict[str, Distribution]) -> list[str]:
    """No parameter's condition may lead back to itself."""
    for name in space:
        reached, waiting = set(), [*(space[name].when or {})]
        while waiting:
            other = waiting.pop()
            if other == name:
                return [f"{name}.when: leads back to {name}, so that neither could be drawn first"]
            if other not in reached:
                reached.add(other)
                waiting += space[other].when or {}
    return []

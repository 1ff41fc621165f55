"""The section `space` of a config: the distribution of each hyperparameter, checked against the settings."""

import re
from typing import Any

from pydantic import ValidationError

from gamtune.config.distributions import DISTRIBUTIONS, Distribution
from gamtune.config.messages import lines_of
from gamtune.config.settings import SETTINGS, Setting, SettingError
from gamtune.errors import InputError, unknown, unknown_names
from gamtune.numbers import compact

OF_A_KEY = re.compile(r"\w+(\[\d+\])*: ")  # start of a message about a key, not about the distribution


def parse_space(space: Any) -> dict[str, Distribution]:
    """Return the distribution of each hyperparameter.

    Parameters
    ----------
    space : mapping
        For each hyperparameter a distribution such as ``{uniform: [0, 1]}``, a list (a choice) or one value (fixed).

    Raises
    ------
    InputError
        With one line per error, whose keys are relative to ``space``.
    """
    if not isinstance(space, dict):
        raise InputError([f"got {space!r}, expected a mapping of hyperparameters to distributions"])
    parsed: dict[str, Distribution] = {}
    unknown_keys = unknown_names([name for name in space if name not in SETTINGS], SETTINGS, "hyperparameter")
    lines = [f"{name}: {message}" if name else f": {message}" for name, message in unknown_keys.items()]
    for name, raw in space.items():
        if name not in SETTINGS:
            continue
        try:
            distribution = raw if isinstance(raw, Distribution) else parse_distribution(raw)
            _check_values(name, distribution)
            parsed[name] = distribution
        except InputError as error:
            lines += [f"{name}{'' if line.startswith('.') else ': '}{line}" for line in error.lines]
    if not lines:
        lines = [line for name in parsed for line in _check_references(name, parsed)] or _check_cycles(parsed)
    if lines:
        raise InputError(line.removeprefix(": ") if line.startswith(": ") else f".{line}" for line in lines)
    return parsed


def parse_distribution(raw: Any) -> Distribution:
    """Parse the distribution of one hyperparameter.

    Raises
    ------
    InputError
        With one line per error, whose keys are relative to the hyperparameter.
    """
    if raw is None:
        raise InputError(["got nothing, expected a distribution, a list of values or one value"])
    if isinstance(raw, list):
        raw = {"choice": raw}
    if not isinstance(raw, dict):
        raw = {"choice": [raw]}
    names = _names_in(raw)
    if len(names) != 1:
        available = DISTRIBUTIONS.names()
        others = [key for key in raw if key not in _optional_keys()]
        if len(names) == 0 and len(others) == 1:
            raise InputError([f".{others[0]}: {unknown(others[0], available, 'distribution')}"])
        found = f"got {' and '.join(map(str, names or others)) or 'none'}"
        raise InputError([f"{found}, expected one distribution of {', '.join(available)}"])
    kind: type[Distribution] = DISTRIBUTIONS.load(names[0])
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        lines = lines_of(error, kind)
        raise InputError(f".{line}" if OF_A_KEY.match(line) else line for line in lines) from None


def _names_in(raw: dict[Any, Any]) -> list[Any]:
    """Return the keys that are names of distributions: built-in ones, or if there are none, those of other packages."""
    built_in = [key for key in raw if key in DISTRIBUTIONS.built_in]
    if built_in:
        return built_in
    available = DISTRIBUTIONS.names()
    return [key for key in raw if key in available]


def _optional_keys() -> set[str]:
    """Return the optional keys of the built-in distributions."""
    models: list[type[Distribution]] = [DISTRIBUTIONS.load(name) for name in DISTRIBUTIONS.built_in]
    return {key for model in models for key in model.model_fields} - DISTRIBUTIONS.built_in.keys()


def _check_values(name: str, distribution: Distribution) -> None:
    """Check that every value that can be drawn is valid for the setting."""
    setting = SETTINGS[name]
    if distribution.per and not setting.per_layer:
        raise InputError([f".per: got {distribution.per!r}, but {name} has one value for all layers; remove per"])
    try:
        if distribution.choices is not None:
            for value in distribution.choices:
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
    """Check the range; the ends of a continuous range may equal excluded bounds of the setting, such as 0."""
    if setting.kind is int and not distribution.whole:
        raise InputError(["got a distribution of real numbers, expected whole numbers; use {integer: [low, high]}"])
    low, high = distribution.support
    if low < setting.low or high > setting.high or (distribution.whole and not setting.contains(low)):
        raise InputError([f"reaches from {compact(low, 6)} to {compact(high, 6)}, but {name} is {setting.expected}"])


def _check_references(name: str, space: dict[str, Distribution]) -> list[str]:
    """Return errors of the condition ``when``: the hyperparameters that it names must exist and have its values."""
    conditions = space[name].when or {}
    others = [n for n in space if n != name and space[n].per is None]
    unknown_keys = unknown_names([n for n in conditions if n not in others], others, "hyperparameter of the space")
    lines = [f"{name}.when{'.' if other else ''}{other}: {message}" for other, message in unknown_keys.items()]
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
    """Return an error if the condition of a hyperparameter depends on that hyperparameter itself."""
    for name in space:
        reached, waiting = set(), [*(space[name].when or {})]
        while waiting:
            other = waiting.pop()
            if other == name:
                return [f"{name}.when: the conditions depend on {name} itself; remove one of them"]
            if other not in reached:
                reached.add(other)
                waiting += space[other].when or {}
    return []

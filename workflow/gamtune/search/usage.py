"""Refuses hyperparameters that no configuration uses: they would be dropped without a word."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gamtune.config.settings import NETWORKS, OPTIMIZER_SETTINGS
from gamtune.config.study import Study
from gamtune.errors import InputError
from gamtune.search.designs import random_design
from gamtune.search.draws import drawn_rows
from gamtune.search.manual import manual_rows
from gamtune.spec import Spec

POSSIBLE_DRAWS = 1000  # that stand for what later rounds may propose


class Usage:
    """What the configurations of a table set and what they use.

    Attributes
    ----------
    used : set of str
        Settings that a configuration sets and uses.
    effective : set of str
        Settings that a configuration uses, whether it sets them or section ``training`` does.
    optimizers : set of (str, str)
        Pairs of network and optimizer.
    """

    def __init__(self) -> None:
        self.used: set[str] = set()
        self.effective: set[str] = set()
        self.optimizers: set[tuple[str, str]] = set()

    def add(self, settings: Mapping[str, Any], spec: Spec) -> None:
        """Count a configuration: its own settings, and the spec that they were completed to."""
        pair = spec.network, spec.optimizer
        if pair not in self.optimizers:
            self.optimizers.add(pair)
            self.effective |= {name for name in OPTIMIZER_SETTINGS if spec.value(name) is not None}
        self.used |= {name for name in settings.keys() - self.used if spec.value(name) is not None}


def check_usage(study: Study, usage: Usage, complete: Callable[[dict[str, Any]], Spec], depth: int | None) -> None:
    """Refuse what no configuration uses of the space, the rows by hand and the section ``training``.

    Parameters
    ----------
    study : Study
        The config.
    usage : Usage
        All configurations of the table.
    complete : callable
        Completes settings to a spec; for strategies whose later rounds may draw more of the space than the table has.
    depth : int, optional
        Hidden layers where the space does not draw their number.

    Raises
    ------
    InputError
        With one line for each setting.
    """
    given = {
        **{f"search.rows: {name}": name for _, row in manual_rows(study.search.rows) for name in row},
        **{f"space.{name}": name for name in study.space},
    }
    unused = {place: name for place, name in given.items() if name not in usage.used}
    if unused and study.search.proposes:
        for settings in drawn_rows(study.space, POSSIBLE_DRAWS, random_design(1, POSSIBLE_DRAWS), depth):
            usage.add(settings, complete(settings))
        unused = {place: name for place, name in unused.items() if name not in usage.used}
    fixed = study.training.settings
    unused |= {
        f"training.{name}": name
        for name in OPTIMIZER_SETTINGS
        if fixed[name] is not None and name not in usage.effective
    }
    if unused:
        raise InputError(
            f"{place}: no configuration uses it: {_reason(name, study, usage.optimizers)}"
            for place, name in unused.items()
        )


def unused_reason(settings: Iterable[str], spec: Spec) -> str | None:
    """Return why a configuration does not use one of the settings that it was given; None if it uses all."""
    for name in settings:
        if spec.value(name) is None:
            return f"{name}: {_not_known(name, {(spec.network, spec.optimizer)})}"
    return None


def _reason(name: str, study: Study, optimizers: set[tuple[str, str]]) -> str:
    known = any(name in NETWORKS[network][optimizer] for network, optimizer in optimizers)
    if name not in OPTIMIZER_SETTINGS or known:
        if name in study.space and study.space[name].when:
            return "its condition `when` holds in none of them"
        if name == "min_delta":
            return _not_known(name, optimizers)
        return f"the strategy {study.search.strategy!r} draws nothing from the space; list it in search.rows"
    return _not_known(name, optimizers)


def _not_known(name: str, optimizers: set[tuple[str, str]]) -> str:
    if name not in OPTIMIZER_SETTINGS:
        return "it needs training.early_stopping"
    given = sorted({optimizer for _, optimizer in optimizers})
    readers = sorted({one for known in NETWORKS.values() for one, names in known.items() if name in names})
    return f"{name} belongs to optimizer {' or '.join(readers)}, got optimizer {' and '.join(given)}"

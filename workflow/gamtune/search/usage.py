"""Check that each given hyperparameter is used by a configuration; otherwise it would be ignored silently."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gamtune.config.settings import NETWORKS, OPTIMIZER_SETTINGS
from gamtune.config.study import Study
from gamtune.errors import InputError
from gamtune.search.designs import random_design
from gamtune.search.draws import drawn_rows
from gamtune.search.manual import manual_rows
from gamtune.spec import Spec

POSSIBLE_DRAWS = 1000  # number of random draws that represent what later rounds may propose


class Usage:
    """Hyperparameters that the configurations of a table set and use.

    Attributes
    ----------
    used : set of str
        Hyperparameters that a configuration sets and uses.
    effective : set of str
        Hyperparameters that a configuration uses, set by itself or by the section ``training``.
    optimizers : set of (str, str)
        Pairs of network and optimizer that occur.
    """

    def __init__(self) -> None:
        self.used: set[str] = set()
        self.effective: set[str] = set()
        self.optimizers: set[tuple[str, str]] = set()

    def add(self, settings: Mapping[str, Any], spec: Spec) -> None:
        """Add a configuration.

        Parameters
        ----------
        settings : mapping
            Hyperparameters that the configuration sets.
        spec : Spec
            The same settings, completed from the section ``training``.
        """
        pair = spec.network, spec.optimizer
        if pair not in self.optimizers:
            self.optimizers.add(pair)
            self.effective |= {name for name in OPTIMIZER_SETTINGS if spec.value(name) is not None}
        self.used |= {name for name in settings.keys() - self.used if spec.value(name) is not None}


def check_usage(study: Study, usage: Usage, complete: Callable[[dict[str, Any]], Spec], depth: int | None) -> None:
    """Check that each hyperparameter in the space, in ``search.rows`` and in section ``training`` is used.

    Parameters
    ----------
    study : Study
        The config.
    usage : Usage
        All configurations of the table.
    complete : callable
        Returns the spec of settings. It is used for strategies whose later rounds may draw values that the table does
        not contain.
    depth : int, optional
        Number of hidden layers, if it is not part of the space.

    Raises
    ------
    InputError
        If no configuration uses a hyperparameter, with one line for each.
    """
    keys = {
        **{f"search.rows: {name}": name for _, row in manual_rows(study.search.rows) for name in row},
        **{f"space.{name}": name for name in study.space},
    }
    unused = {key: name for key, name in keys.items() if name not in usage.used}
    if unused and study.search.proposes:
        for settings in drawn_rows(study.space, POSSIBLE_DRAWS, random_design(1, POSSIBLE_DRAWS), depth):
            usage.add(settings, complete(settings))
        unused = {key: name for key, name in unused.items() if name not in usage.used}
    fixed = study.training.settings
    unused |= {
        f"training.{name}": name
        for name in OPTIMIZER_SETTINGS
        if fixed[name] is not None and name not in usage.effective
    }
    if unused:
        raise InputError(
            f"{key}: no configuration uses it: {_reason(name, study, usage.optimizers)}" for key, name in unused.items()
        )


def unused_reason(settings: Iterable[str], spec: Spec) -> str | None:
    """Return the first hyperparameter that a configuration sets but does not use, with the reason; otherwise None."""
    for name in settings:
        if spec.value(name) is None:
            return f"{name}: {_requirement(name, {(spec.network, spec.optimizer)})}"
    return None


def _reason(name: str, study: Study, optimizers: set[tuple[str, str]]) -> str:
    valid = any(name in NETWORKS[network][optimizer] for network, optimizer in optimizers)
    if name not in OPTIMIZER_SETTINGS or valid:
        if name in study.space and study.space[name].when:
            return "no configuration satisfies its condition `when`"
        if name == "min_delta":
            return _requirement(name, optimizers)
        return f"the strategy {study.search.strategy!r} does not draw from the space; list it in search.rows"
    return _requirement(name, optimizers)


def _requirement(name: str, optimizers: set[tuple[str, str]]) -> str:
    """Return what a hyperparameter requires that the configurations do not have."""
    if name not in OPTIMIZER_SETTINGS:
        return "it requires training.early_stopping"
    found = sorted({optimizer for _, optimizer in optimizers})
    valid = sorted({one for settings in NETWORKS.values() for one, names in settings.items() if name in names})
    return f"{name} belongs to optimizer {' or '.join(valid)}, got optimizer {' and '.join(found)}"

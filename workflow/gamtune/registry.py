"""Registries of an extension point: the implementations by name, as import strings.

A registry imports an implementation only when it is asked for, so that implementations do not depend on one another.
Other packages add theirs by an entry point (https://packaging.python.org/specifications/entry-points).
"""

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any


class Registry:
    """The implementations of an extension point.

    Parameters
    ----------
    group : str
        Group of the entry points of other packages.
    built_in : mapping
        Names and import strings, ``module:object``, of gamtune's own implementations.

    Attributes
    ----------
    group, built_in
        The parameters.

    Examples
    --------
    >>> registry = Registry("gamtune.examples", {"root": "math:sqrt"})
    >>> registry.load("root")(9.0)
    3.0
    >>> registry.names()
    ['root']
    """

    def __init__(self, group: str, built_in: Mapping[str, str]) -> None:
        self.group = group
        self.built_in = dict(built_in)

    def names(self) -> list[str]:
        """Return all names, those of other packages last."""
        others = (point.name for point in entry_points(group=self.group))
        return [*self.built_in, *sorted(set(others) - self.built_in.keys())]

    def __contains__(self, name: object) -> bool:
        return name in self.built_in or (isinstance(name, str) and self._entry_point(name) is not None)

    def load(self, name: str) -> Any:
        """Import and return an implementation.

        Raises
        ------
        KeyError
            If no implementation has this name.
        """
        if name in self.built_in:
            module, _, attribute = self.built_in[name].partition(":")
            return getattr(import_module(module), attribute)
        point = self._entry_point(name)
        if point is None:
            raise KeyError(name)
        return point.load()

    def _entry_point(self, name: str) -> EntryPoint | None:
        return next(iter(entry_points(group=self.group, name=name)), None)

"""Registries of extension points: implementations by name, as import strings.

A registry imports an implementation only when it is loaded, so that implementations do not depend on each other.
Other packages add implementations by entry points (https://packaging.python.org/specifications/entry-points).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any


@dataclass(frozen=True)
class Implementation:
    """The origin of an implementation of an extension point.

    Parameters
    ----------
    group : str
        Group of the entry points.
    name : str
        Name of the implementation.
    module : str
        Module of gamtune that contains it; empty if it belongs to another package.
    package : str
        Name and version of the other package; empty if it belongs to gamtune.
    """

    group: str
    name: str
    module: str = ""
    package: str = ""


class Registry:
    """The implementations of an extension point.

    Parameters
    ----------
    group : str
        Group of the entry points of other packages.
    built_in : mapping
        Import strings ``module:object`` of the implementations in gamtune by their names.

    Attributes
    ----------
    group, built_in
        The parameters of the constructor.

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
        """Return the names of all implementations, with those of other packages last."""
        others = (point.name for point in entry_points(group=self.group))
        return [*self.built_in, *sorted(set(others) - self.built_in.keys())]

    def implementations(self, names: Iterable[str] | None = None) -> list[Implementation]:
        """Return the origin of implementations, for the fingerprint of the steps that use them.

        Parameters
        ----------
        names : iterable of str, optional
            Names of the implementations, by default all.

        Raises
        ------
        KeyError
            If a name is unknown.

        Examples
        --------
        >>> Registry("gamtune.examples", {"root": "math:sqrt"}).implementations()
        [Implementation(group='gamtune.examples', name='root', module='math', package='')]
        """
        return [self._implementation(name) for name in (self.names() if names is None else names)]

    def _implementation(self, name: str) -> Implementation:
        if name in self.built_in:
            return Implementation(self.group, name, module=self.built_in[name].partition(":")[0])
        point = self._entry_point(name)
        if point is None:
            raise KeyError(name)
        package = f"{point.dist.name} {point.dist.version}" if point.dist else point.value
        return Implementation(self.group, name, package=package)

    def __contains__(self, name: object) -> bool:
        return name in self.built_in or (isinstance(name, str) and self._entry_point(name) is not None)

    def load(self, name: str) -> Any:
        """Import and return an implementation.

        Raises
        ------
        KeyError
            If the name is unknown.
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

"""Code fingerprints: a hash of the code that the result of a module depends on.

This code is the import closure of the module: the module and all modules of this library that it imports directly or
indirectly, with the ``__init__.py`` of each package. The imports are read from the source; no module is imported.
A module that is named by text, as in a registry, is not part of the closure; the implementations that a step loads from
registries are passed to `code_fingerprint` instead.
"""

import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path

from gamtune.registry import Implementation
from gamtune.runtime.environment import LIBRARY
from gamtune.runtime.source_cache import source_cache
from gamtune.runtime.syntax import Source

NAME = "gamtune"


def closure(module: str, library: Path = LIBRARY) -> tuple[Path, ...]:
    """Return the files of the import closure of a module, sorted.

    Parameters
    ----------
    module : str
        Name of the module, such as "gamtune.learners.trial".
    library : Path
        Folder that contains the package ``gamtune``.
    """
    return tuple(sorted(_closure([module], library)))


def code_fingerprint(
    module: str,
    without: tuple[str, ...] = (),
    library: Path = LIBRARY,
    implementations: Iterable[Implementation] = (),
) -> str:
    """Return the hexadecimal SHA-256 of the code of a module's import closure.

    It does not depend on the path of the library, nor on comments, docstrings and formatting.

    Parameters
    ----------
    module : str
        Name of the module.
    without : tuple of str
        Files whose path in ``library`` begins with one of these texts are ignored.
    library : Path
        Folder that contains the package ``gamtune``.
    implementations : iterable of Implementation
        Implementations that the module loads from registries. The import closures of gamtune's implementations are
        included; of others, the name and the version of their package.
    """
    hashed = hashlib.sha256()
    used = sorted(set(implementations), key=lambda one: (one.group, one.name))
    for path, source in sorted(_closure([module, *(one.module for one in used if one.module)], library).items()):
        name = path.relative_to(library).as_posix()
        if source.fingerprint and not name.startswith(without):
            hashed.update(f"{name}\0{source.fingerprint}\0".encode())
    for one in used:
        if one.package:
            hashed.update(f"{one.group}\0{one.name}\0{one.package}\0".encode())
    return hashed.hexdigest()


def with_versions(fingerprint: str, libraries: tuple[str, ...]) -> str:
    """Return the fingerprint of code and of the installed versions of the libraries that it calls.

    Raises
    ------
    importlib.metadata.PackageNotFoundError
        If a library is not installed.
    """
    lines = [fingerprint, *(f"{library} {_version(library)}" for library in libraries)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@cache
def _version(library: str) -> str:
    return version(library)


def _closure(modules: Iterable[str], library: Path) -> Mapping[Path, Source]:
    sources = source_cache()
    found: dict[Path, Source] = {}
    waiting = list(dict.fromkeys(modules))
    names = set(waiting)
    while waiting:
        name = waiting.pop()
        for path in _files_of_library(name) if library == LIBRARY else _files_of(name, library):
            if path not in found:
                found[path] = sources.source(path)
                new = [name for name in found[path].imports if name not in names]
                names.update(new)
                waiting += new
    sources.save()
    return found


@cache
def _files_of_library(name: str) -> tuple[Path, ...]:
    """Return the files of a module of this library, which does not change while a process reads it."""
    return _files_of(name, LIBRARY)


def _files_of(name: str, library: Path) -> tuple[Path, ...]:
    """Return the file of a module of this library and the ``__init__.py`` of every package above it."""
    parts = name.split(".")
    if parts[0] != NAME:
        return ()
    bases = [library.joinpath(*parts[:depth]) for depth in range(1, len(parts) + 1)]
    return tuple(path for base in bases for path in (base / "__init__.py", base.with_suffix(".py")) if path.is_file())

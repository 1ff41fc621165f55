"""Which files of this library a module's results depend on: its import closure, found by reading, not by importing."""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

LIBRARY = Path(__file__).resolve().parent.parent  # the folder that goes on PYTHONPATH


@cache
def closure(module: str) -> tuple[Path, ...]:
    """Files of ``module`` and of all modules of this library that it imports, at whatever depth, sorted.

    Imports inside functions count; those under ``if TYPE_CHECKING:`` count too, which is harmless.
    """
    found: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = _file_of(name)
        if name in found or path is None:
            continue
        found[name] = path
        waiting += _imported(path)
    return tuple(sorted(found.values()))


def code_digest(module: str, without: tuple[str, ...] = ()) -> str:
    """Hexadecimal sha256 of the closure's contents: other code, other digest, wherever the library lies.

    Files whose path inside the library begins with one of ``without`` are left out.
    """
    hashed = hashlib.sha256()
    for path in closure(module):
        name = path.relative_to(LIBRARY).as_posix()
        if not name.startswith(without):
            hashed.update(f"{name}\0".encode() + path.read_bytes() + b"\0")
    return hashed.hexdigest()


@cache
def _imported(path: Path) -> list[str]:
    """Modules of this library that a file imports."""
    names = []
    for node in _statements(ast.parse(path.read_bytes()).body):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return [name for name in names if name.split(".")[0] == "gamtune"]


def _statements(body: list[Any]) -> Iterator[ast.stmt]:
    """Every statement, at whatever depth; imports are statements, so the many more expressions can be passed over."""
    for node in body:
        yield node
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            yield from _statements(getattr(node, part, []))


def _file_of(module: str) -> Path | None:
    """The module's file; None for a package (its ``__init__`` is empty) and for names that are no modules."""
    path = LIBRARY.joinpath(*module.split(".")).with_suffix(".py")
    return path if path.is_file() else None

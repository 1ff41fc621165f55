"""Which files of this library a module's results depend on: its import closure, found by reading, not by importing."""

import hashlib
import re
from functools import cache
from pathlib import Path

IMPORT = re.compile(
    r"^\s*(?:from\s+(gamtune[\w.]*)\s+import\s+(?:\(([^)]*)\)|([^\n#]+))|import\s+(gamtune[\w.]*))", re.MULTILINE
)
LIBRARY = Path(__file__).resolve().parent.parent  # the folder that goes on PYTHONPATH


@cache
def closure(module: str) -> tuple[Path, ...]:
    """Files of ``module`` and of all modules of this library that it imports, at whatever depth, sorted.

    Imports inside functions count; those under ``if TYPE_CHECKING:`` count too, and so would a line of a docstring that
    reads like one, which is harmless.
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
    """Modules of this library that a file imports: read as text, since parsing it takes five times as long."""
    names = []
    for module, listed, line, alone in IMPORT.findall(path.read_text(encoding="utf-8")):
        imported = [name.split()[0] for name in (listed or line).split(",") if name.strip()]
        names += [alone] if alone else [module, *(f"{module}.{name}" for name in imported)]
    return names


def _file_of(module: str) -> Path | None:
    """The module's file; None for a package (its ``__init__`` is empty) and for names that are no modules."""
    path = LIBRARY.joinpath(*module.split(".")).with_suffix(".py")
    return path if path.is_file() else None

"""Fingerprint and imports of a source file, read from its syntax tree.

The fingerprint ignores comments, formatting, docstrings, descriptions (``description="..."``) and imports for type
checkers. `ast.dump` is not used, because its output differs between Python 3.11, 3.12 and 3.13.
"""

import ast
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

FORMAT = 1  # version of the fingerprint; another number changes every fingerprint
IGNORED = {"ctx", "kind", "type_comment", "type_ignores", "type_params"}  # they do not affect the behaviour
DESCRIPTION = "description"
Write = Callable[[str], None]


@dataclass(frozen=True)
class Source:
    """The fingerprint and the imports of a source file.

    Attributes
    ----------
    fingerprint : str
        Hexadecimal SHA-256 of the statements, empty if there are none.
    imports : tuple of str
        Names of all imports, also within functions: ``a.b`` and ``a.b.c`` for ``from a.b import c``.
    """

    fingerprint: str
    imports: tuple[str, ...]


def read_source(text: str | bytes) -> Source:
    """Return the fingerprint and the imports of a source text.

    Raises
    ------
    SyntaxError
        If the text is not valid Python.

    Examples
    --------
    >>> one = read_source('def half(x):\\n    "Halve."\\n    return x / 2  # a float')
    >>> other = read_source('def half( x ):\\n    return (x/2)')
    >>> one == other
    True
    """
    tree = ast.parse(text)
    statements = list(_statements(tree.body))
    if not statements:
        return Source("", ())
    hashed = hashlib.sha256(f"{FORMAT}".encode())
    _describe(statements, lambda part: hashed.update(part.encode("utf-8", "surrogatepass")))
    return Source(hashed.hexdigest(), tuple(sorted(set(_imports(tree.body)))))


def _describe(value: Any, write: Write) -> None:
    """Write a part of a syntax tree in a form that does not depend on the version of Python."""
    match value:
        case ast.Constant():
            write(_constant(value.value))
        case ast.AST():
            write(f"({type(value).__name__}")
            for name in sorted(value._fields):
                part = _part(value, name)
                if name not in IGNORED and part is not None and part != []:
                    write(f" {name}=")
                    _describe(part, write)
            write(")")
        case list():
            write("[")
            for item in value:
                write(",")
                _describe(item, write)
            write("]")
        case _:
            write(_constant(value))


def _part(node: ast.AST, name: str) -> Any:
    """Return a field of a node without the parts that do not affect the behaviour."""
    value: Any = getattr(node, name, None)
    match node, name:
        case ast.Call(), "keywords":
            return [keyword for keyword in value if keyword.arg != DESCRIPTION or not _is_text(keyword.value)]
        case ast.Dict(), "keys" | "values":
            pairs = zip(node.keys, node.values, strict=True)
            return [pair[name == "values"] for pair in pairs if not _is_description(*pair)]
        case ast.JoinedStr(), "values":
            return list(_joined(value))
    if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
        return list(_statements(value))
    return value


def _statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements except docstrings, other bare texts and code for type checkers."""
    for statement in body:
        if isinstance(statement, ast.Expr) and _is_text(statement.value):
            continue
        if not _is_for_type_checkers(statement):
            yield statement


def _is_for_type_checkers(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.If) and not statement.orelse
        and isinstance(statement.test, ast.Name) and statement.test.id == "TYPE_CHECKING"
    )  # fmt: skip


def _is_description(key: ast.expr | None, value: ast.expr) -> bool:
    return isinstance(key, ast.Constant) and key.value == DESCRIPTION and _is_text(value)


def _is_text(value: ast.expr) -> bool:
    """Return whether an expression is a constant text."""
    match value:
        case ast.Constant():
            return isinstance(value.value, str)
        case ast.BinOp(op=ast.Add()):
            return _is_text(value.left) and _is_text(value.right)
    return False


def _joined(values: Sequence[ast.expr]) -> Iterator[ast.expr]:
    """Yield the parts of an f-string; adjacent texts are joined, since versions of Python split them differently."""
    text = ""
    for value in values:
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            text += value.value
            continue
        if text:
            yield ast.Constant(text)
        text = ""
        yield value
    if text:
        yield ast.Constant(text)


def _constant(value: Any) -> str:
    """Return a text that identifies a constant; ``repr`` is not used, as it depends on Python's Unicode tables."""
    match value:
        case str():
            return f"<str {len(value)} {value}>"
        case bytes():
            return f"<bytes {value.hex()}>"
        case bool() | None:
            return f"<{value}>"
        case int():
            return f"<int {value:x}>"
        case float():
            return f"<float {value.hex()}>"
        case complex():
            return f"<complex {value.real.hex()} {value.imag.hex()}>"
    return f"<{type(value).__name__}>"  # Ellipsis


def _imports(body: Sequence[ast.stmt]) -> Iterator[str]:
    waiting: list[Any] = list(_statements(body))
    while waiting:
        node = waiting.pop()
        match node:
            case ast.Import():
                yield from (alias.name for alias in node.names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module
                yield from (f"{module}.{alias.name}" for alias in node.names)
            case ast.AST():
                waiting += [_part(node, name) for name in node._fields]
            case list():
                waiting += node

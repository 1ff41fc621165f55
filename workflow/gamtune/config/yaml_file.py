"""A strict YAML reader that reports ambiguous content with its line and limits run time and memory.

Scalars follow the core schema of YAML 1.2: ``no``, ``1:30``, ``2024-01-01`` and ``010`` are text, ``1e-3`` is a number.
Keys are always text. Tags other than ``!!str`` and duplicate keys are errors. The content is built here because PyYAML
follows YAML 1.1 and keeps the last of several equal keys, and ruamel.yaml does not limit aliases.
"""

import os
import re
import stat
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from gamtune.errors import InputError

MAX_BYTES = 4 * 2**20
MAX_DEPTH = 30
MAX_VALUES = 250_000  # an alias counts as all values that it stands for
MAX_DIGITS = 4000  # of a whole number; Python converts at most 4,300

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is ten times as fast as the Python loader

CONSTANTS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
REAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
DATE = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[Tt \t]+([0-9]{1,2}):([0-9]{2}):([0-9]{2}).*)?")
LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")  # octal in YAML 1.1 and decimal in YAML 1.2, so kept as text


def read_text(path: Path, most: int = MAX_BYTES) -> str:
    """Return the text of a config file of at most ``most`` bytes.

    Raises
    ------
    InputError
        If it is not a regular file, is too large or is not UTF-8 text.
    """
    if "\0" in str(path):
        raise InputError(["cannot be read: the name contains a NUL character"], repr(str(path)))
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # do not wait for the writer of a named pipe
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise InputError(["cannot be read: it is not a regular file"], str(path))
            content = file.read(most + 1)
    except InputError:
        raise
    except OSError as error:
        reason = "it is a folder" if isinstance(error, IsADirectoryError) else error.strerror
        raise InputError([f"cannot be read: {reason}"], str(path)) from None
    if len(content) > most:
        raise InputError([f"cannot be read: it is larger than {most // 2**20} MiB, the limit for a config"], str(path))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        found = "UTF-16 text" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "not UTF-8 text"
        raise InputError([f"cannot be read: it is {found}; save it as UTF-8"], str(path)) from None


def parse_yaml(text: str, source: str) -> Any:
    """Return the content of a YAML document as builtin types.

    Parameters
    ----------
    text : str
        The document.
    source : str
        Path of the file, for messages.

    Raises
    ------
    InputError
        If the text is not valid; the message contains the line.
    """
    loader = None
    try:
        loader = LOADER(text)
        return _Document(loader).content()
    except _ParseError as error:
        raise InputError([str(error)], source) from None
    except yaml.YAMLError as error:
        raise InputError([_syntax_error(error, text)], source) from None
    finally:
        if loader is not None:
            loader.dispose()


def scalar(text: str) -> Any:
    """Return the value of an unquoted scalar.

    Raises
    ------
    InputError
        If it is a whole number of more than `MAX_DIGITS` digits.

    Examples
    --------
    >>> [scalar(text) for text in ("3", "1e-3", "true", "no", "1:30", "010", "null")]
    [3, 0.001, True, 'no', '1:30', '010', None]
    """
    if text in CONSTANTS:
        return CONSTANTS[text]
    if INTEGER.fullmatch(text):
        if len(text) > MAX_DIGITS:
            raise InputError([f"got a number of {len(text)} digits, expected at most {MAX_DIGITS}"])
        return int(text)
    return float(text) if REAL.fullmatch(text) and not LEADING_ZERO.fullmatch(text) else text


class _ParseError(Exception):
    """An error in the document, with its line."""

    def __init__(self, event: yaml.Event, problem: str) -> None:
        super().__init__(f"line {_line(event)}: {problem}")


class _Document:
    """Build the content of a document from the events of the parser."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._values = 0

    def content(self) -> Any:
        """Return the content; None for an empty document."""
        self._next()  # start of the stream
        if isinstance(self._loader.peek_event(), yaml.StreamEndEvent):
            return None
        self._next()  # start of the document
        content = self._value(self._next(), 0)
        self._next()  # end of the document
        after = self._next()
        if not isinstance(after, yaml.StreamEndEvent):
            raise _ParseError(after, "a second document begins here, expected one document; remove it")
        return content

    def _next(self) -> Any:
        return self._loader.get_event()

    def _value(self, event: Any, depth: int) -> Any:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        before = self._values
        self._count(event, 1)
        if depth > MAX_DEPTH:
            raise _ParseError(event, f"nested more than {MAX_DEPTH} levels deep")
        value: Any
        if isinstance(event, yaml.ScalarEvent):
            value = _scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            _refuse_tag(event)
            value = self._list(depth)
        else:
            _refuse_tag(event)
            value = self._mapping(depth)
        if event.anchor:
            self._anchors[event.anchor] = value, self._values - before
        return value

    def _list(self, depth: int) -> list[Any]:
        found = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            found.append(self._value(event, depth + 1))
        return found

    def _mapping(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        lines: dict[str, int] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._key(event)
            if key in lines:
                raise _ParseError(
                    event, f"duplicate key {_short(key)}, first used in line {lines[key]}; remove one of them"
                )
            lines[key] = _line(event)
            value = self._value(self._next(), depth + 1)
            if key == "<<" and _is_plain(event):
                merged = _merged(event, value)
            else:
                found[key] = value
        return merged | found

    def _key(self, event: Any) -> str:
        if isinstance(event, yaml.AliasEvent):
            key = self._alias(event)
        else:
            key = event.value if isinstance(event, yaml.ScalarEvent) else None
            self._count(event, 1)
        if not isinstance(key, str):
            raise _ParseError(event, "a key must be text")
        if isinstance(event, yaml.ScalarEvent):
            _scalar(event)  # raises an error for a tag
            if event.anchor:
                self._anchors[event.anchor] = key, 1
        return key

    def _alias(self, event: Any) -> Any:
        if event.anchor not in self._anchors:
            raise _ParseError(
                event, f"the alias {_short('*' + event.anchor)} does not refer to a complete anchor before it"
            )
        value, size = self._anchors[event.anchor]
        self._count(event, size)
        return value

    def _count(self, event: yaml.Event, size: int) -> None:
        self._values += size
        if self._values > MAX_VALUES:
            raise _ParseError(event, f"more than {MAX_VALUES} values, including those of aliases")


def _is_impossible_date(text: str) -> bool:
    """Return whether an unquoted scalar has the form of a YAML 1.1 date or time that does not exist."""
    match = DATE.fullmatch(text)
    if match is None:
        return False
    try:
        datetime(*(int(part) for part in match.groups() if part is not None))  # type: ignore[arg-type]
    except ValueError:
        return True
    return False


def _scalar(event: Any) -> Any:
    if not _is_plain(event):
        if event.tag not in (None, "!", "tag:yaml.org,2002:str"):
            _refuse_tag(event)
        value = event.value
    else:
        try:
            value = scalar(event.value)
        except InputError as error:
            raise _ParseError(event, str(error)) from None
        if isinstance(value, str) and _is_impossible_date(value):
            raise _ParseError(event, f"{_short(value)} is not a valid date; correct it, or put text in quotation marks")
    if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise _ParseError(event, "invalid character (unpaired surrogate)")
    return value


def _is_plain(event: Any) -> bool:
    return event.tag is None and bool(event.implicit[0])


def _refuse_tag(event: Any) -> None:
    if event.tag is not None:
        tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")
        raise _ParseError(event, f"the tag {_short(tag)} is not supported; write the value without it")


def _merged(event: yaml.Event, value: Any) -> dict[str, Any]:
    """Return the content of ``<<``: one mapping, or a list of mappings without common keys."""
    merged: dict[str, Any] = {}
    for mapping in value if isinstance(value, list) else [value]:
        if not isinstance(mapping, dict):
            raise _ParseError(event, "<< expects a mapping or a list of mappings")
        for key in mapping:
            if key in merged:
                raise _ParseError(
                    event, f"duplicate key {_short(key)} in two of the mappings listed under <<; remove one of them"
                )
        merged |= mapping
    return merged


def _syntax_error(error: yaml.YAMLError, text: str) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(getattr(error, "reason", None) or error).splitlines()[0]
    if mark is None:
        return f"not valid YAML: {problem}"
    lines = text.splitlines()
    indent = re.match(r"\s*", lines[mark.line])[0] if mark.line < len(lines) else ""  # type: ignore[index]
    if "\t" in indent:
        problem = "a tab in the indentation; use spaces"
    return f"line {mark.line + 1}, column {mark.column + 1}: not valid YAML: {problem}"


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _short(text: str) -> str:
    return repr(text) if len(text) <= 60 else repr(text[:57]) + "..."

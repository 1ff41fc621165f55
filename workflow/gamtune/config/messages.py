"""Pydantic's findings in our words: one line a fault."""

import re
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from gamtune.errors import LISTED, InputError, unknown_names

MOST_FAULTS = 3 * LISTED


def lines_of(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """One line for each key at fault, naming key, value and what was expected.

    Parameters
    ----------
    error : pydantic.ValidationError
        What ``model.model_validate`` raised.
    model : type
        The model, whose fields name the nearest known key of an unknown one.
    """
    faults = error.errors(include_url=False)
    unknown_keys: dict[tuple[int | str, ...], list[str]] = {}
    for fault in faults:
        if fault["type"] == "extra_forbidden":
            unknown_keys.setdefault(fault["loc"][:-1], []).append(str(fault["loc"][-1]))
    others = [fault for fault in faults if fault["type"] != "extra_forbidden"]
    lines: dict[str, str] = {}
    for place, names in list(unknown_keys.items())[:LISTED]:
        path = _path(place, model)
        for name, message in unknown_names(names, _model_at(path, model).model_fields).items():
            key = _joined([*path, name] if name else path)
            lines[key] = f"{key}: {message}" if key else message
    for fault in others[:MOST_FAULTS]:
        path = _path(fault["loc"], model)
        key = _joined(path)
        for line in _messages(fault, path, model):
            whole = f"{key}{line}" if line.startswith(".") else f"{key}: {line}" if key else line
            lines.setdefault(key + line if line.startswith(".") else key, whole)
    # Where a key may be of several types, the one that fits best is at fault deepest inside
    deeper = [key for key in lines if any(other.startswith((f"{key}.", f"{key}[")) for other in lines)]
    found = [line for key, line in lines.items() if not key or key not in deeper]
    more = max(len(others) - MOST_FAULTS, 0) + sum(map(len, list(unknown_keys.values())[LISTED:]))
    return [*found, f"{more} more faults, not listed"] if more else found


def _joined(path: list[str]) -> str:
    return ".".join(path).replace(".[", "[")


def _messages(fault: Any, path: list[str], model: type[BaseModel]) -> list[str]:
    """What to say of one fault."""
    kind, cause = fault["type"], fault.get("ctx", {}).get("error")
    if kind == "missing" and path[-1].startswith("["):
        return ["missing, expected two numbers"]
    if kind == "missing":
        field = _model_at(path[:-1], model).model_fields[path[-1]]
        return [f"missing, expected {field.description}"]
    if isinstance(cause, InputError):
        return cause.lines
    if cause is not None:
        text = str(cause)
        plain = isinstance(fault["input"], int | float | str | list | tuple) and not text.startswith("got ")
        return [f"got {_shown(fault['input'])}, {text}" if plain else text]
    if kind == "tuple_type" or fault.get("ctx", {}).get("field_type") == "Tuple":
        return [f"got {_shown(fault['input'])}, expected two numbers"]
    if kind == "string_type" and (fault["input"] is None or isinstance(fault["input"], int | float)):
        return [f"got {_shown(fault['input'])}, expected text; write it in quotes"]
    expected = re.sub(r"^(Input|Value|String|List|Tuple) should ", "", fault["msg"])
    return [f"got {_shown(fault['input'])}, expected {re.sub('^be ', '', expected)}"]


def _shown(value: Any) -> str:
    text = repr(list(value) if isinstance(value, tuple) else value)
    return text if len(text) <= 80 else text[:77] + "..."


def _path(location: tuple[int | str, ...], model: type[BaseModel]) -> list[str]:
    """The keys as the user wrote them: indices in brackets, without the names pydantic gives to a union's members."""
    path: list[str] = []
    current: Any = model
    for part in location:
        if isinstance(part, int):
            path.append(f"[{part}]")
        elif (
            _fields(current) is None
            and path
            and re.match(r"(list|dict|str|int|float|bool|tuple|function|literal)\b", part)
        ):
            continue
        else:
            path.append(part)
            fields = _fields(current)
            current = fields[part].annotation if fields and part in fields else None
    return path


def _fields(annotation: Any) -> Any:
    """Fields of the model that an annotation is or holds, otherwise None."""
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate.model_fields
    return None


def _model_at(path: list[str], model: type[BaseModel]) -> type[BaseModel]:
    """The model that the keys lead to."""
    for part in path:
        annotation = model.model_fields[part].annotation
        candidates = [annotation, *get_args(annotation)]
        model = next(c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel))
    return model

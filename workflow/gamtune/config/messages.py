"""Error messages from the validation errors of pydantic, one line per error."""

import re
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from gamtune.errors import LISTED, InputError, InvalidValue, unknown_names

MAX_ERRORS = 3 * LISTED


def lines_of(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """Return one line per invalid key, with the key, its value and what was expected.

    Parameters
    ----------
    error : pydantic.ValidationError
        What ``model.model_validate`` raised.
    model : type
        The model; the names of its fields are suggested for unknown keys.
    """
    errors = error.errors(include_url=False)
    unknown_keys: dict[tuple[int | str, ...], list[str]] = {}
    for details in errors:
        if details["type"] == "extra_forbidden":
            unknown_keys.setdefault(details["loc"][:-1], []).append(str(details["loc"][-1]))
    others = [details for details in errors if details["type"] != "extra_forbidden"]
    lines: dict[str, str] = {}
    for location, names in list(unknown_keys.items())[:LISTED]:
        path = _path(location, model)
        for name, message in unknown_names(names, _model_at(path, model).model_fields).items():
            key = _joined([*path, name] if name else path)
            lines[key] = f"{key}: {message}" if key else message
    for details in others[:MAX_ERRORS]:
        path = _path(details["loc"], model)
        key = _joined(path)
        for line in _messages(details, path, model):
            message = f"{key}{line}" if line.startswith(".") else f"{key}: {line}" if key else line
            lines.setdefault(key + line if line.startswith(".") else key, message)
    # If several types are allowed for a key, the error at the deepest position belongs to the type that fits best
    deeper = [key for key in lines if any(other.startswith((f"{key}.", f"{key}[")) for other in lines)]
    found = [line for key, line in lines.items() if not key or key not in deeper]
    more = max(len(others) - MAX_ERRORS, 0) + sum(map(len, list(unknown_keys.values())[LISTED:]))
    return [*found, f"{more} more errors, not listed"] if more else found


def _joined(path: list[str]) -> str:
    return ".".join(path).replace(".[", "[")


def _messages(details: Any, path: list[str], model: type[BaseModel]) -> list[str]:
    """Return the messages about one error."""
    kind, cause = details["type"], details.get("ctx", {}).get("error")
    if kind == "missing" and path[-1].startswith("["):
        return ["missing; expected two numbers"]
    if kind == "missing":
        field = _model_at(path[:-1], model).model_fields[path[-1]]
        return [f"missing; this key is required: {_as_clause(str(field.description))}"]
    if isinstance(cause, InputError):
        return cause.lines
    if isinstance(cause, Exception) and not isinstance(cause, InvalidValue):
        raise cause  # a bug in a validator, which pydantic takes for an invalid value
    if cause is not None:
        text = str(cause)
        plain = isinstance(details["input"], int | float | str | list | tuple) and not text.startswith("got ")
        return [f"got {_shown(details['input'])}, {text}" if plain else text]
    if kind == "tuple_type" or details.get("ctx", {}).get("field_type") == "Tuple":
        return [f"got {_shown(details['input'])}, expected two numbers"]
    if kind == "string_type" and (details["input"] is None or isinstance(details["input"], int | float)):
        return [f"got {_shown(details['input'])}, expected text; write it in quotes"]
    expected = re.sub(r"^(Input|Value|String|List|Tuple) should ", "", details["msg"])
    return [f"got {_shown(details['input'])}, expected {re.sub('^be ', '', expected)}"]


def _as_clause(description: str) -> str:
    """Return a description without its capital letter and its final full stop."""
    return description[:1].lower() + description[1:].removesuffix(".")


def _shown(value: Any) -> str:
    text = repr(list(value) if isinstance(value, tuple) else value)
    return text if len(text) <= 80 else text[:77] + "..."


def _path(location: tuple[int | str, ...], model: type[BaseModel]) -> list[str]:
    """Return the keys as in the file: indices in brackets, without the names of the members of a union."""
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
    """Return the fields of the model in an annotation; None if there is no model."""
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate.model_fields
    return None


def _model_at(path: list[str], model: type[BaseModel]) -> type[BaseModel]:
    """Return the model of the section at a path."""
    for part in path:
        annotation = model.model_fields[part].annotation
        candidates = [annotation, *get_args(annotation)]
        model = next(c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel))
    return model

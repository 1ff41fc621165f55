"""From a YAML file, or the mapping Snakemake made of it, to a checked study."""

import json
import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from gamtune.config.messages import lines_of
from gamtune.config.study import Study
from gamtune.errors import InputError


def read_study(argument: str) -> Study:
    """Read a study from a YAML file, or from JSON when the argument begins with a brace (what the rules pass).

    Raises
    ------
    InputError
        If the file is missing, no YAML, or no study.
    """
    return parse_study(read_raw(argument), "config" if argument.startswith("{") else argument)


def read_raw(argument: str) -> Any:
    """The unchecked content of a YAML file, or of JSON when the argument begins with a brace."""
    return json.loads(argument) if argument.startswith("{") else read_yaml(Path(argument))


def read_yaml(path: Path) -> Any:
    """The file's content.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InputError([f"cannot be read: {reason}"], str(path)) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise InputError([f"{place}no valid YAML: {problem}"], str(path)) from None


def parse_study(raw: Any, source: str) -> Study:
    """Check a config's content; ``source`` is the file that messages name.

    Raises
    ------
    InputError
        With one line for each fault.
    """
    if not isinstance(raw, dict):
        raise InputError(["got no keys, expected at least study, data, search and space"], source)
    if "__use_yte__" in raw:
        raise InputError(["__use_yte__: refused, a config must not run code"], source)
    try:
        return Study.model_validate(_with_numbers(raw))
    except ValidationError as error:
        raise InputError(lines_of(error, Study), source) from None


def _with_numbers(value: Any) -> Any:
    """YAML 1.1 reads 1e-10 as text: make it the number that was meant."""
    if isinstance(value, dict):
        return {key: _with_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_numbers(item) for item in value]
    if isinstance(value, str) and re.fullmatch(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+", value):
        return float(value)
    return value

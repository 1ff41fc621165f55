"""Read and validate the config of a study from a YAML or JSON file."""

import json
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from gamtune.config.data_section import Data, SelectedOn
from gamtune.config.messages import lines_of
from gamtune.config.section import Section
from gamtune.config.study import SelectionSettings, Study
from gamtune.config.yaml_file import MAX_DEPTH, parse_yaml, read_text, scalar
from gamtune.errors import InputError

AnySection = TypeVar("AnySection", bound=Section)
MAX_JSON_BYTES = 32 * 2**20  # the config files of steps also contain the default values


def read_study(path: str) -> Study:
    """Read a study from a YAML or JSON file.

    Raises
    ------
    InputError
        If the file cannot be read or is not a valid study.
    """
    return parse_study(read_raw(path), path)


def read_data_section(path: str) -> Data:
    """Return the section `data` of a config file that the workflow passes to a step.

    Raises
    ------
    InputError
        If the file cannot be read, or the section is missing or invalid.
    """
    return _parse_section(_with_data(path), "data", Data, path)


def read_data_settings(path: str) -> tuple[Data, SelectedOn]:
    """Return the section `data` and the key `selection.on` of a config file that the workflow passes to a step.

    Raises
    ------
    InputError
        If the file cannot be read, the section `data` is missing, or a section is invalid.
    """
    content = {"selection": {}} | _with_data(path)
    data = _parse_section(content, "data", Data, path)
    selected_on = _parse_section(content, "selection", SelectionSettings, path).on
    try:
        data.check_selected_on(selected_on)
    except InputError as error:
        raise error.within(path) from None
    return data, selected_on


def read_raw(path: str) -> Any:
    """Return the raw content of a YAML file, or of a JSON file if its name ends with ``.json``.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    if path.endswith(".json"):
        return _parse_json(read_text(Path(path), MAX_JSON_BYTES), path)
    return parse_yaml(read_text(Path(path)), path)


def read_for_workflow(files: Sequence[Path], default: Path, changes: Mapping[str, Any]) -> tuple[Any, str]:
    """Return the raw config of a Snakemake run and its path for messages.

    Snakemake merges several config files and accepts duplicate keys, so the file is read again here.

    Parameters
    ----------
    files : sequence of Path
        Config files given on the command line.
    default : Path
        The config file in the folder of the workflow, which is read if none is given.
    changes : mapping
        Values of ``--config``.

    Raises
    ------
    InputError
        If there is more than one file, it cannot be read, or the path of the workflow's folder holds braces.
    """
    if set("{}") & set(str(default)):
        raise InputError(
            ["Snakemake does not accept braces in the path of a workflow; rename the folder"], str(default)
        )
    if len(files) > 1:
        names = ", ".join(os.path.relpath(file) for file in files)
        raise InputError([f"got {len(files)} config files, expected one; put the study into one file"], names)
    path = os.path.relpath(files[0] if files else default)
    return overridden(read_raw(path), changes), path


def overridden(raw: Any, changes: Any) -> Any:
    """Return the raw config with the values of ``snakemake --config`` merged into it.

    Parameters
    ----------
    raw : object
        What `read_raw` returned.
    changes : mapping
        The values as parsed by Snakemake; text is parsed like an unquoted YAML scalar.
    """
    if not isinstance(changes, Mapping):
        return _values(changes)
    merged = dict(raw) if isinstance(raw, Mapping) else {}
    for key, value in changes.items():
        merged[key] = overridden(merged.get(key), value)
    return merged


def parse_study(raw: Any, source: str) -> Study:
    """Return the validated study.

    Parameters
    ----------
    raw : object
        Content of the config file.
    source : str
        Path of the file, for messages.

    Raises
    ------
    InputError
        With one line per error.
    """
    if not isinstance(raw, dict):
        raise InputError(["the file has no keys; add at least study, data, search and space"], source)
    if "__use_yte__" in raw:
        raise InputError(["__use_yte__: not allowed, because a config must not run code; remove it"], source)
    try:
        return Study.model_validate(raw)
    except ValidationError as error:
        raise InputError(lines_of(error, Study), source) from None


def _with_data(path: str) -> dict[str, Any]:
    """Return the raw content of a config that has a section `data`."""
    content = read_raw(path)
    if not isinstance(content, dict) or "data" not in content:
        raise InputError(["data: missing; add the section data"], path)
    return content


def _parse_section(content: Mapping[str, Any], name: str, model: type[AnySection], source: str) -> AnySection:
    try:
        return model.model_validate(content[name])
    except ValidationError as error:
        raise InputError([f"{name}.{line}" for line in lines_of(error, model)], source) from None


def _values(value: Any) -> Any:
    if isinstance(value, list):
        return [_values(item) for item in value]
    return scalar(value) if isinstance(value, str) else value


def _parse_json(text: str, source: str) -> Any:
    try:
        content = json.loads(text, object_pairs_hook=_distinct)
        json.dumps(content, ensure_ascii=False).encode()  # raises an error for an unpaired surrogate
    except json.JSONDecodeError as error:
        position = f"line {error.lineno}, column {error.colno}"
        raise InputError([f"{position}: not valid JSON: {error.msg}"], source) from None
    except (
        RecursionError,
        UnicodeEncodeError,
        ValueError,
    ) as error:  # also duplicate keys, and numbers with thousands of digits
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise InputError([f"not valid JSON: {reason}"], source) from None
    if _is_too_deep(content):
        raise InputError([f"nested more than {MAX_DEPTH} levels deep"], source)
    return content


def _is_too_deep(content: Any) -> bool:
    """Return whether the content is nested more than `MAX_DEPTH` levels deep."""
    level = [content]
    for _ in range(MAX_DEPTH + 1):
        level = [member for value in level for member in _members(value)]
    return bool(level)


def _members(value: Any) -> Collection[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"duplicate key {key!r}")
        found[key] = value
    return found

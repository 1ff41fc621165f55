"""The warnings of the data step, kept beside the arrays for the report and the summary of the study."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from gamtune.errors import DamagedError
from gamtune.files import read_json, write_text

FORMAT = 1  # to be raised when the keys below change their meaning


@dataclass(frozen=True)
class DataWarning:
    """Something in the data that makes scores misleading, although the study can run.

    Attributes
    ----------
    kind : str
        What was found, for programs: ``duplicates``, ``single_column`` or ``identifier``.
    message : str
        What was found, with counts, and what to do.
    details : mapping
        The same as numbers and names.
    """

    kind: str
    message: str
    details: Mapping[str, int | float | str] = field(default_factory=dict)


def write_warnings(warnings: Sequence[DataWarning], path: Path) -> None:
    """Write the warnings as JSON."""
    content = {"format": FORMAT, "warnings": [asdict(warning) for warning in warnings]}
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def read_warnings(path: Path) -> list[DataWarning]:
    """Read the warnings that `write_warnings` wrote.

    Raises
    ------
    DamagedError
        If the file is damaged.
    FileNotFoundError
        If there is no such file.
    """
    try:
        return [DataWarning(**warning) for warning in read_json(path, "format", "warnings")["warnings"]]
    except TypeError:
        raise DamagedError(path, "its warnings lack a key, or have an unknown one") from None

"""The warnings of the data step, which the report and ``gamtune show`` repeat."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gamtune.results.json_artefact import JsonArtefact


@dataclass(frozen=True)
class DataWarning:
    """A property of the data that may make scores misleading.

    Attributes
    ----------
    kind : {"duplicates", "single_column", "identifier"}
        Kind of the warning.
    message : str
        The problem with counts, and what to do.
    details : mapping
        The counts and names of the message.
    """

    kind: str
    message: str
    details: Mapping[str, int | float | str] = field(default_factory=dict)


class DataWarnings(JsonArtefact):
    """All warnings about a data set.

    Attributes
    ----------
    warnings : list of DataWarning
        The warnings.
    """

    warnings: list[DataWarning]

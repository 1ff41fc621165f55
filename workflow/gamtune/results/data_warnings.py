"""The warnings of the data step, which the report and the summary of the study repeat."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gamtune.results.json_artefact import JsonArtefact


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


class DataWarnings(JsonArtefact):
    """All warnings about a data set.

    Attributes
    ----------
    warnings : list of DataWarning
        The warnings.
    """

    warnings: list[DataWarning]

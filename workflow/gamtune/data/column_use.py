"""The interpretation of each column of the user's files, for the terminal, the report and ``columns.csv``."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from gamtune.files import write_text
from gamtune.results.artefacts import artefact_text, read_rows

HEADER = ("column", "type", "used as", "missing", "distinct", "example")
MAX_WIDTH = 40  # characters of a cell in the terminal


@dataclass(frozen=True)
class ColumnUse:
    """The interpretation of a column.

    Attributes
    ----------
    name : str
        Name of the column.
    kind : str
        ``number``, ``boolean`` or ``category``.
    use : str
        ``input``, ``target (classes)``, ``target (values)``, ``group``, ``split`` or ``left out (data.drop)``.
    missing : int
        Number of missing cells.
    distinct : int
        Number of distinct values.
    example : str
        The first value that is not missing.
    """

    name: str
    kind: str
    use: str
    missing: int
    distinct: int
    example: str


def write_columns(columns: Sequence[ColumnUse], path: Path) -> None:
    """Write one line per column."""
    write_text(path, artefact_text((field.name for field in fields(ColumnUse)), map(astuple, columns)))


def read_columns(path: Path) -> list[ColumnUse]:
    """Read a file written by `write_columns`.

    Raises
    ------
    DamagedError
        If the file is damaged.
    FileNotFoundError
        If the file does not exist.
    """
    return [
        ColumnUse(row["name"], row["kind"], row["use"], int(row["missing"]), int(row["distinct"]), row["example"])
        for row in read_rows(path)
    ]


def aligned(columns: Sequence[ColumnUse]) -> str:
    """Return the columns as a text table with aligned cells.

    Examples
    --------
    >>> columns = [ColumnUse("age", "number", "input", 0, 12, "22"), ColumnUse("y", "category", "group", 3, 2, "no")]
    >>> print(aligned(columns))
    column  type      used as  missing  distinct  example
    age     number    input          0        12  22
    y       category  group          3         2  no
    """
    lines = [HEADER, *([_shown(cell) for cell in astuple(column)] for column in columns)]
    widths = [max(len(line[position]) for line in lines) for position in range(len(HEADER))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if title in ("missing", "distinct") else cell.ljust(width)
            for cell, width, title in zip(line, widths, HEADER, strict=True)
        ).rstrip()
        for line in lines
    )


def _shown(cell: object) -> str:
    """Return the text of a cell on one line, with visible control characters."""
    text = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in str(cell))
    return text if len(text) <= MAX_WIDTH else f"{text[: MAX_WIDTH - 3]}..."

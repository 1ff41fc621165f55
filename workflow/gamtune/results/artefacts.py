"""Reader and writer of gamtune's CSV files.

Every cell is read as it was written. A missing value is an empty cell, and an empty text is written as ``""``; pandas
reads both as missing. Text that a spreadsheet would interpret as a formula is written with a leading apostrophe, which
the reader removes (OWASP, "CSV Injection").
"""

import csv
import io
import math
import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gamtune.errors import DamagedError, InputError
from gamtune.files import check_file, write_text

if TYPE_CHECKING:
    import pandas as pd

FORMULA = re.compile(r"'*(?:\s*[=+\-@＝＋－＠]|[\t\r\n])")
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
WHOLE = re.compile(r"-?\d+", re.ASCII)
INFINITE = ("inf", "-inf")
TRUTH = {"True": True, "False": False}


def write_artefact(frame: "pd.DataFrame", path: Path) -> None:
    """Write a data frame, without its index, so that `read_artefact` reads the same cells.

    Parameters
    ----------
    frame : data frame
        Columns of numbers, booleans or text; None and NaN are missing values.
    path : Path
        The file; it is written atomically.
    """
    write_text(path, frame_text(frame))


def frame_text(frame: "pd.DataFrame") -> str:
    """Return the text that `write_artefact` writes."""
    columns = [frame.iloc[:, number].tolist() for number in range(frame.shape[1])]
    return artefact_text([str(name) for name in frame.columns], zip(*columns, strict=True))


def artefact_text(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """Return the text of an artefact.

    Parameters
    ----------
    header : iterable of str
        Names of the columns.
    rows : iterable of iterables
        Cells of each row: numbers, booleans, text, or None or NaN for a missing value.
    """
    lines = [",".join(map(_written, header))]
    lines += [",".join(map(_written, row)) for row in rows]
    return "\n".join(lines) + "\n"


def _written(cell: object) -> str:
    if isinstance(cell, str):
        if not cell:
            return '""'
        if FORMULA.match(cell) and not NUMBER.fullmatch(cell):
            cell = f"'{cell}"
        quoted = any(mark in cell for mark in '",\n\r\ufeff') or cell != cell.strip()
        return '"' + cell.replace('"', '""') + '"' if quoted else cell
    if cell is None or cell != cell:  # NaN differs from itself
        return ""
    return str(cell.item() if hasattr(cell, "item") else cell)  # str of a NumPy number may have fewer digits


def plain(cell: str) -> str:
    """Return the text of a cell without the apostrophe that `artefact_text` may have added."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell


def read_rows(path: Path, *columns: str) -> list[dict[str, str]]:
    """Return the rows of an artefact as texts; a missing value is an empty text.

    Unlike `read_artefact`, this function does not import pandas, which takes a second.

    Parameters
    ----------
    path : Path
        The file.
    columns : str
        Columns that the file must have.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    DamagedError
        If the file is damaged, or lacks one of the columns.
    """
    header, *rows = read_lines(path)
    _require(columns, header, path)
    return [dict(zip(header, row, strict=True)) for row in rows]


def read_lines(path: Path) -> list[list[str]]:
    """Return the header and the rows of an artefact as texts, as `read_rows` does.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    DamagedError
        If the file is damaged.
    """
    text = _content(path)
    try:
        parsed = csv.reader(io.StringIO(text, newline=""), strict=True)
        lines = [[plain(cell) for cell in line or [""]] for line in parsed]  # a blank line is one missing cell
    except csv.Error as error:
        raise DamagedError(path, str(error)) from None
    for number, line in enumerate(lines, start=1):
        if len(line) != len(lines[0]):
            raise DamagedError(path, f"row {number - 1} has {len(line)} cell(s), but the header has {len(lines[0])}")
    return lines


def _require(columns: Iterable[str], header: Collection[str], path: Path) -> None:
    for name in columns:
        if name not in header:
            raise DamagedError(path, f"it has no column {name!r}")


def _content(path: Path) -> str:
    check_file(path)
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise DamagedError(path, "it is not UTF-8 text") from None
    except FileNotFoundError:
        raise
    except OSError as error:
        raise InputError([f"cannot be read: {error.strerror}"], str(path)) from None
    if not text.endswith("\n"):
        raise DamagedError(path, "its end is missing" if text else "it is empty")
    return text


def read_artefact(path: Path, text: Collection[str] | bool = ()) -> "pd.DataFrame":
    """Read a file that `write_artefact` wrote.

    Parameters
    ----------
    path : Path
        The file.
    text : collection of str, or True
        Columns that are read as text, even if their cells are numbers; True for all columns. The other columns hold
        integers, floating-point numbers or booleans if all their cells do, and otherwise text. A column without
        values holds NaN.

    Returns
    -------
    data frame
        Missing cells are None in columns of text and NaN in columns of numbers.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    DamagedError
        If the file is damaged.
    """
    import pandas as pd

    header, columns = _columns(path)
    _require(() if isinstance(text, bool) else text, header, path)
    texts = set(header) if text is True else set(text or ())
    typed = [
        pd.Series(cells, dtype=object) if name in texts else _typed(cells)
        for name, cells in zip(header, columns, strict=True)
    ]
    frame = pd.concat(typed, axis=1) if typed else pd.DataFrame()
    frame.columns = pd.Index(header, dtype=object)
    return frame


def _columns(path: Path) -> tuple[list[str], list[list[str | None]]]:
    """Return the header and the cells of each column; a missing value is None."""
    from gamtune.tables.csv_file import parse_artefact

    text = _content(path)
    try:
        width = len(next(csv.reader(io.StringIO(text, newline=""), strict=True)))
        columns = [column.to_pylist() for column in parse_artefact(text.encode(), width, path)]
    except csv.Error as error:
        raise DamagedError(path, str(error)) from None
    except InputError as error:
        raise DamagedError(path, error.lines[0]) from None
    cells = [[cell if cell is None else plain(cell) for cell in column] for column in columns]
    return [column[0] or "" for column in cells], [column[1:] for column in cells]


def _typed(cells: Sequence[str | None]) -> "pd.Series[Any]":
    import pandas as pd

    present = [cell for cell in cells if cell is not None]
    if present and all(cell in TRUTH for cell in present):
        return pd.Series([None if cell is None else TRUTH[cell] for cell in cells])
    if not all(NUMBER.fullmatch(cell) or cell in INFINITE for cell in present):
        return pd.Series(cells, dtype=object)
    if cells and len(present) == len(cells) and all(WHOLE.fullmatch(cell) for cell in present):
        return pd.Series([int(cell) for cell in present])
    return pd.Series([math.nan if cell is None else float(cell) for cell in cells], dtype=float)

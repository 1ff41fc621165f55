"""Read a CSV file as columns of text.

pyarrow parses the cells. The other checks are implemented here, because pyarrow and pandas accept, or report without a
line number, several common mistakes: unclosed quotation marks, lines with too many cells, columns without a name.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gamtune.errors import InputError
from gamtune.tables.content import as_utf8, is_ascii_based, load
from gamtune.tables.dialect import Dialect
from gamtune.tables.structure import Lines, check_quoting, find_separator, parse_header

PEEK = 1 << 20  # bytes that are read first to find the header
BLOCK = 1 << 23  # bytes per block of pyarrow


def read_csv_header(path: Path, dialect: Dialect) -> list[str]:
    """Return the column names of a CSV file without reading more of it than necessary.

    Raises
    ------
    InputError
        If the file cannot be read or is empty.
    """
    content = load(path, PEEK)
    if len(content) == PEEK:
        lines = content[: content.rfind(b"\n") + 1] if is_ascii_based(content, dialect) else b""
        content = lines or load(path)
    text = _with_newlines(as_utf8(content, path, dialect))
    separator, text = find_separator(text, path, dialect)
    names, _ = parse_header(text, separator, path)
    while len(names) > 1 and not names[-1]:  # separator at the end of each line, which `read_csv` checks
        names.pop()
    return checked_names(names, path)


def read_csv(path: Path, dialect: Dialect, missing: Sequence[str]) -> dict[str, Any]:
    """Read the cells of a CSV file.

    Parameters
    ----------
    path : Path
        The file.
    dialect : Dialect
        Format of the file.
    missing : sequence of str
        Words that stand for a missing value.

    Returns
    -------
    dict of str to pyarrow.ChunkedArray
        The cells of each column without surrounding spaces, null where a value is missing.

    Raises
    ------
    InputError
        If the file is not a valid table; the message contains the line.
    """
    import pyarrow.compute as pc

    text = _with_newlines(as_utf8(load(path), path, dialect))
    separator, text = find_separator(text, path, dialect)
    text = check_quoting(text, separator, path)
    names, start = parse_header(text, separator, path)
    body = text[start:]
    if not body or body.isspace():
        raise InputError(["has a header but no rows"], str(path))
    first_line = text.count(b"\n", 0, start) + 1
    columns = parse_cells(body, separator, len(names), path, missing, first_line)
    names += [""] * (len(columns) - len(names))
    if b" " in body or b"\t" in body or not body.isascii():
        columns = [without_missing(pc.utf8_trim_whitespace(column), missing) for column in columns]
    while len(names) > 1 and not names[-1] and columns[-1].null_count == len(columns[-1]):
        names.pop()
        columns.pop()
    return dict(zip(checked_names(names, path), columns, strict=True))


def without_missing(texts: Any, missing: Sequence[str]) -> Any:
    """Return a ``pyarrow`` array of strings in which the words for missing values are replaced by null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.is_in(texts, pa.array(list(missing), pa.string()))
    return pc.if_else(found, None, texts) if pc.any(found).as_py() else texts


def checked_names(names: Sequence[str], path: Path) -> list[str]:
    """Return the names after checking that they are distinct and not empty.

    Raises
    ------
    InputError
        If a name is empty or occurs twice.
    """
    if "" in names:
        found = f"column {names.index('') + 1} has no name; give it one, or write the file without its index"
        raise InputError([found], str(path))
    if len(set(names)) < len(names):
        duplicate = next(name for number, name in enumerate(names) if name in names[:number])
        raise InputError([f"two columns have the name {duplicate!r}; rename one of them"], str(path))
    return list(names)


def parse_cells(
    text: bytes, separator: str, width: int, path: Path, missing: Sequence[str], first_line: int
) -> list[Any]:
    """Parse the cells of a text with valid quoting into one ``pyarrow.ChunkedArray`` of strings per column.

    Parameters
    ----------
    text : bytes
        Lines without the header.
    separator : str
        Separator of the cells.
    width : int
        Number of names in the header. More columns are returned if all lines have additional empty cells.
    path : Path
        The file, for messages.
    missing : sequence of str
        Words that are replaced by null.
    first_line : int
        Line number of the beginning of the text in the file, for messages.

    Raises
    ------
    InputError
        If a line has too few or too many cells.
    """
    import pyarrow as pa

    try:
        return _parsed(text, separator, width, missing)
    except pa.ArrowInvalid:  # the error does not contain the line number, so the lines are counted
        lines = Lines.of(text, separator)
    width = _common_width(text, lines, separator, width, path, first_line)
    spans = list(zip(lines.starts.tolist(), lines.stops.tolist(), strict=True))
    longest = max(stop - start for start, stop in spans)
    try:
        text = b"\n".join(text[start:stop] for start, stop in spans)
        return _parsed(text, separator, width, missing, block=max(BLOCK, 2 * longest))
    except pa.ArrowInvalid as error:
        raise InputError([f"cannot be read: {str(error).splitlines()[0]}"], str(path)) from None


def parse_artefact(text: bytes, width: int, path: Path) -> list[Any]:
    """Parse the cells of an artefact, including its header, into one ``pyarrow.ChunkedArray`` per column.

    An empty cell is null if it has no quotation marks.

    Raises
    ------
    InputError
        If a line has too few or too many cells.
    """
    import pyarrow as pa

    check_quoting(text, ",", path)
    try:
        return _parsed(text, ",", width, [""], quoted_missing=False, blank_lines=True, block=max(BLOCK, len(text)))
    except pa.ArrowInvalid:
        lines = Lines.of(text, ",")
    _common_width(text, lines, ",", width, path, 1)
    raise InputError(["its lines cannot be read"], str(path))


def _parsed(
    text: bytes,
    separator: str,
    width: int,
    missing: Sequence[str],
    quoted_missing: bool = True,
    blank_lines: bool = False,
    block: int = BLOCK,
) -> list[Any]:
    import pyarrow as pa
    import pyarrow.csv

    names = [str(number) for number in range(width)]
    quoted = b'"' in text
    threads = (
        len(text) > block
    )  # a process that ends just after Arrow has started threads may abort (apache/arrow#34314)
    table = pyarrow.csv.read_csv(
        pa.BufferReader(text),
        pyarrow.csv.ReadOptions(use_threads=threads, column_names=names, block_size=block),
        pyarrow.csv.ParseOptions(
            delimiter=separator,
            quote_char='"' if quoted else False,
            newlines_in_values=quoted,
            ignore_empty_lines=not blank_lines,
        ),
        pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=list(missing),
            strings_can_be_null=True,
            quoted_strings_can_be_null=quoted_missing,
        ),
    )
    return list(table.columns)


def _common_width(text: bytes, lines: Lines, separator: str, width: int, path: Path, first_line: int) -> int:
    """Return the number of cells that all lines have, which may include empty cells after those of the header."""
    expected = int(lines.cells[0])
    if expected > width:

        def ends_empty(line: int) -> bool:
            cells = text[lines.starts[line] : lines.stops[line]].rsplit(separator.encode(), expected - width)
            return not any(cell.strip(b' \t"') for cell in cells[1:])

        if ends_empty(0):
            odd = np.flatnonzero(lines.cells != expected).tolist() or [
                line for line in range(len(lines.cells)) if not ends_empty(line)
            ]
            if not odd:
                return expected
        else:
            odd = [0]
    else:
        odd = np.flatnonzero(lines.cells != width).tolist()
    if not odd:
        return width
    number, cells = first_line - 1 + int(lines.numbers[odd[0]]), int(lines.cells[odd[0]])
    found = f"line {number} has {cells} cell{'s' * (cells != 1)}, but the header has {width}"
    if expected > width and cells != expected:
        found = f"{found} and the first line after it {expected}"
    elif expected == width + 1 and (lines.cells == expected).all():
        found = f"{found}; name each column, or write the file without row names"
    raise InputError([found], str(path))


def _with_newlines(text: bytes) -> bytes:
    r"""Return the text with the line ends \r\n and \r replaced by \n."""
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in text else text

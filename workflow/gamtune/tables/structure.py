"""Check the structure of a CSV file: separator, header, lines and quotation marks."""

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gamtune.errors import InputError
from gamtune.tables.dialect import SEPARATORS, Dialect, separator_name

QUOTED = re.compile(r'"(?:[^"]|"")*"')
BLANK_LINES = re.compile(rb"(?:[ \t]*\n)*")
DECLARATION = re.compile(rb"sep=([,;\t|:])\n")
SAMPLE, SAMPLE_LINES = 1 << 20, 100
NEWLINE, QUOTE = 10, 34
SPACES = (9, 32)
Positions = npt.NDArray[np.intp]


def find_separator(text: bytes, path: Path, dialect: Dialect) -> tuple[str, bytes]:
    """Return the separator of a file, and its text without a line such as ``sep=;`` written by Excel.

    If the separator is not declared, it is the one that divides the first lines into equal numbers of cells.

    Parameters
    ----------
    text : bytes
        The file, or its beginning.
    path : Path
        The file, for messages.
    dialect : Dialect
        Format of the file, with its declared separator.

    Raises
    ------
    InputError
        If the separator is ambiguous.
    """
    declared = DECLARATION.match(text)
    if declared:
        text = text[declared.end() - 1 :]  # keep the line break, so that line numbers do not change
    if dialect.separator is not None:
        return dialect.separator, text
    if declared:
        return declared[1].decode(), text
    return _detected(text[: text.rfind(b"\n", 0, SAMPLE) + 1] or text, path, dialect), text


def _detected(text: bytes, path: Path, dialect: Dialect) -> str:
    """Return the separator that divides the first lines into equal numbers of cells."""
    sample = QUOTED.sub("q", text.decode("utf-8", "replace"))
    lines = [line for line in sample.splitlines() if line.strip()][:SAMPLE_LINES]
    present = [separator for separator in SEPARATORS if lines and separator in lines[0]]
    if len(present) < 2:
        return present[0] if present else ","
    uniform = [separator for separator in present if _is_uniform(lines, separator)]
    if len(uniform) > 1:
        cells = " and ".join(separator_name(separator) for separator in uniform)
        advice = dialect.advice('separator: ","', "save it with commas")
        raise InputError([f"the separator is ambiguous: {cells} both divide all lines evenly; {advice}"], str(path))
    return uniform[0] if uniform else max(present, key=lines[0].count)


def _is_uniform(lines: list[str], separator: str) -> bool:
    """Return whether all lines have as many cells as the header, or all one more (a trailing separator)."""
    header, *others = (line.count(separator) for line in lines)
    return set(others) <= {header} or set(others) == {header + 1}


def parse_header(text: bytes, separator: str, path: Path) -> tuple[list[str], int]:
    """Return the column names without surrounding spaces, and the position after the header in the text.

    Raises
    ------
    InputError
        If the file is empty, or a quotation mark in the header is not closed.
    """
    blank = BLANK_LINES.match(text)
    start = blank.end() if blank else 0
    if not text or text.isspace():
        raise InputError(["the file is empty, expected a header with the column names"], str(path))
    stop, marks = start, 0
    while True:  # a quoted name may contain a line break
        end = text.find(b"\n", stop + 1)
        end = len(text) if end < 0 else end
        marks += text.count(b'"', stop, end)
        stop = end
        if marks % 2 == 0:
            break
        if stop == len(text):
            raise InputError(["line 1: a quotation mark is not closed"], str(path))
    line = text[start:stop]
    try:
        names = next(csv.reader(io.StringIO(line.decode(), newline=""), delimiter=separator, skipinitialspace=True))
    except csv.Error as error:
        raise InputError([f"line 1: {error}"], str(path)) from None
    return [name.strip() for name in names], min(stop + 1, len(text))


def check_quoting(text: bytes, separator: str, path: Path) -> bytes:
    """Check that quotation marks enclose complete cells, and return the text without spaces outside the marks.

    Raises
    ------
    InputError
        If a mark is not closed or is inside a cell; the message contains the line.
    """
    if b'"' not in text:
        return text
    codes = np.frombuffer(text, np.uint8)
    marks = np.flatnonzero(codes == QUOTE)
    opening, closing = marks[0::2], marks[1::2]
    if len(opening) > len(closing):  # the last mark is not closed; use the end of the text
        closing = np.append(closing, len(codes))
    doubled = np.append(closing[:-1] + 1 == opening[1:], False)  # "" within a quoted cell
    first = opening[~np.append(False, doubled[:-1])]
    last = closing[~doubled]
    ends = [NEWLINE, ord(separator)]
    spaces = [code for code in SPACES if code not in ends]
    before, spaces_before = _skip(codes, first - 1, -1, spaces)
    after, spaces_after = _skip(codes, last + 1, 1, spaces)
    begins_badly = (before >= 0) & ~np.isin(codes[np.maximum(before, 0)], ends)
    ends_badly = (after < len(codes)) & ~np.isin(codes[np.minimum(after, len(codes) - 1)], ends)
    ends_badly |= last >= len(codes)
    errors = [
        (int(first[bad][0]), found)
        for bad, found in (
            (begins_badly, "a quotation mark is inside a cell"),
            (ends_badly, "a quotation mark is not closed, or more text follows it in its cell"),
        )
        if bad.any()
    ]
    if errors:
        position, found = min(errors)
        line = text.count(b"\n", 0, position) + 1
        advice = 'enclose the whole cell in quotation marks and double those within it ("a ""b""")'
        raise InputError([f"line {line}: {found}; {advice}"], str(path))
    skipped = np.concatenate([*spaces_before, *spaces_after])
    return np.delete(codes, skipped).tobytes() if len(skipped) else text


def _skip(
    codes: npt.NDArray[np.uint8], positions: Positions, step: int, spaces: list[int]
) -> tuple[Positions, list[Positions]]:
    """Return the positions moved past spaces, and the positions of these spaces."""
    positions, found = positions.copy(), [np.empty(0, np.intp)]
    while True:
        within = (positions >= 0) & (positions < len(codes))
        blank = within & np.isin(codes[np.clip(positions, 0, len(codes) - 1)], spaces)
        if not blank.any():
            return positions, found
        found.append(positions[blank])
        positions[blank] += step


@dataclass(frozen=True)
class Lines:
    """The lines of a text that contain cells.

    Attributes
    ----------
    starts, stops : (n,) int
        Position of the beginning and the end of each line in the text.
    cells : (n,) int
        Number of cells of each line.
    numbers : (n,) int
        Number of each line in the text, from 1.
    """

    starts: Positions
    stops: Positions
    cells: Positions
    numbers: Positions

    @classmethod
    def of(cls, text: bytes, separator: str) -> "Lines":
        """Find the lines of a text with valid quoting; blank lines contain no cells."""
        codes = np.frombuffer(text, np.uint8)
        marks = np.flatnonzero(codes == QUOTE)
        breaks = np.flatnonzero(codes == NEWLINE)
        stops = _unquoted(breaks, marks)
        separators = _unquoted(np.flatnonzero(codes == ord(separator)), marks)
        starts = np.concatenate([[0], stops + 1])
        stops = np.append(stops, len(codes))
        cells = np.searchsorted(separators, stops) - np.searchsorted(separators, starts) + 1
        numbers = np.searchsorted(breaks, starts) + 1
        single = np.flatnonzero(cells == 1)
        blank = single[[not text[starts[line] : stops[line]].strip() for line in single]]
        kept = np.setdiff1d(np.arange(len(starts)), blank)
        return cls(starts[kept], stops[kept], cells[kept], numbers[kept])


def _unquoted(positions: Positions, marks: Positions) -> Positions:
    """Return the positions that are not between an opening and a closing quotation mark."""
    return positions[np.searchsorted(marks, positions) % 2 == 0] if len(marks) else positions

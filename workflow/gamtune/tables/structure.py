"""The structure of a CSV file: its separator, header, lines and quotation marks, checked without reading its cells."""

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
    """Return the separator of a file, and the text without a line ``sep=;`` that declares it, as Excel does.

    Without a declaration the separator is the one that gives all first lines the same number of cells.

    Parameters
    ----------
    text : bytes
        The file, or its beginning.
    path : Path
        The file, for messages.
    dialect : Dialect
        The separator that the user declared.

    Raises
    ------
    InputError
        If several separators are possible.
    """
    declared = DECLARATION.match(text)
    if declared:
        text = text[declared.end() - 1 :]  # the line break stays, so that the lines keep their numbers
    if dialect.separator is not None:
        return dialect.separator, text
    if declared:
        return declared[1].decode(), text
    return _recognised(text[: text.rfind(b"\n", 0, SAMPLE) + 1] or text, path, dialect), text


def _recognised(text: bytes, path: Path, dialect: Dialect) -> str:
    """The separator that gives all first lines the same number of cells."""
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
    """Whether all lines have as many cells as the header, or all but the header one more (a trailing separator)."""
    header, *others = (line.count(separator) for line in lines)
    return set(others) <= {header} or set(others) == {header + 1}


def parse_header(text: bytes, separator: str, path: Path) -> tuple[list[str], int]:
    """Return the names in the header, without surrounding spaces, and the position where the header ends in the text.

    Raises
    ------
    InputError
        If the file is empty or the header is not closed.
    """
    blank = BLANK_LINES.match(text)
    start = blank.end() if blank else 0
    if not text or text.isspace():
        raise InputError(["the file is empty, expected a header line with the names of the columns"], str(path))
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
    """Check that quotation marks enclose whole cells, and return the text without spaces between cells and marks.

    Raises
    ------
    InputError
        If a mark is not closed or stands inside a cell; the message names the line.
    """
    if b'"' not in text:
        return text
    codes = np.frombuffer(text, np.uint8)
    marks = np.flatnonzero(codes == QUOTE)
    opening, closing = marks[0::2], marks[1::2]
    if len(opening) > len(closing):  # the partner of the last mark is the end of the text
        closing = np.append(closing, len(codes))
    again = np.append(closing[:-1] + 1 == opening[1:], False)  # "" within a quoted cell
    first = opening[~np.append(False, again[:-1])]
    last = closing[~again]
    ends = [NEWLINE, ord(separator)]
    spaces = [code for code in SPACES if code not in ends]
    before, spaces_before = _skip(codes, first - 1, -1, spaces)
    after, spaces_after = _skip(codes, last + 1, 1, spaces)
    begins_badly = (before >= 0) & ~np.isin(codes[np.maximum(before, 0)], ends)
    ends_badly = (after < len(codes)) & ~np.isin(codes[np.minimum(after, len(codes) - 1)], ends)
    ends_badly |= last >= len(codes)
    faults = [
        (int(first[bad][0]), found)
        for bad, found in (
            (begins_badly, "a quotation mark stands inside a cell"),
            (ends_badly, "a quotation mark is not closed, or more text follows it in its cell"),
        )
        if bad.any()
    ]
    if faults:
        place, found = min(faults)
        line = text.count(b"\n", 0, place) + 1
        advice = 'enclose the whole cell in quotation marks and double those within it ("a ""b""")'
        raise InputError([f"line {line}: {found}; {advice}"], str(path))
    skipped = np.concatenate([*spaces_before, *spaces_after])
    return np.delete(codes, skipped).tobytes() if len(skipped) else text


def _skip(
    codes: npt.NDArray[np.uint8], places: Positions, step: int, spaces: list[int]
) -> tuple[Positions, list[Positions]]:
    """Move each position over spaces; also return the positions of these spaces."""
    places, found = places.copy(), [np.empty(0, np.intp)]
    while True:
        within = (places >= 0) & (places < len(codes))
        blank = within & np.isin(codes[np.clip(places, 0, len(codes) - 1)], spaces)
        if not blank.any():
            return places, found
        found.append(places[blank])
        places[blank] += step


@dataclass(frozen=True)
class Lines:
    """The lines of a text that hold cells.

    Attributes
    ----------
    starts, stops : (n,) int
        Where each begins and ends in the text.
    cells : (n,) int
        Number of cells of each.
    numbers : (n,) int
        Line number of each in the text, from 1.
    """

    starts: Positions
    stops: Positions
    cells: Positions
    numbers: Positions

    @classmethod
    def of(cls, text: bytes, separator: str) -> "Lines":
        """Find the lines of a text whose quoting has been checked; blank lines hold no cells."""
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


def _unquoted(places: Positions, marks: Positions) -> Positions:
    """The positions that are not between an opening and a closing quotation mark."""
    return places[np.searchsorted(marks, places) % 2 == 0] if len(marks) else places

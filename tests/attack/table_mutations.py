"""A table with known content, and ways to write or damage its file, each with the expected result.

The content is a list of rows of Python values. A writer returns the bytes of a file.
"""

import csv
import gzip
import io
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

SAME = "same"  # the content is read unchanged
SAME_OR_REFUSED = "same or refused"
REFUSED = "refused"
EITHER = "either"  # the content was changed: any result is valid, but a message must be clear
NUMBERS, TEXTS = ("length", "width", "count"), ("colour",)
HEADER = ["id_free", "length", "width", "count", "colour", "site", "kind"]
ROWS = 90


def content() -> list[list[object]]:
    """Return the rows of the table: real numbers (width has missing values), an integer, a text, a group and a class."""
    random = Random(7)
    rows: list[list[object]] = []
    for number in range(ROWS):
        length = round(random.gauss(0, 1), 6)
        colour = random.choice(["red", "green", "blue"])
        width = None if number % 11 == 5 else round(random.uniform(1, 900), 3)
        kind = "long" if length + (colour == "red") > 0.3 else "short"
        rows.append(
            [round(random.random(), 9), length, width, random.randint(0, 5000), colour, f"site {number // 9}", kind]
        )
    return rows


def text_of(value: object) -> str:
    """Return a cell as a spreadsheet writes it; a missing value is empty."""
    return "" if value is None else str(value)


def plain(header: list[str], rows: list[list[object]], **options: object) -> str:
    """Return the table as a CSV file."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n", **options)  # type: ignore[arg-type]
    table.writerow(header)
    table.writerows([text_of(cell) for cell in row] for row in rows)
    return text.getvalue()


Writer = Callable[[Random, list[str], list[list[object]]], bytes | None]


@dataclass(frozen=True)
class Mutation:
    """A way to write the table.

    Parameters
    ----------
    write : Writer
        Returns the bytes of the file.
    expected : str
        `SAME`, `SAME_OR_REFUSED`, `REFUSED` or `EITHER`.
    file : str
        Name of the file.
    names : str
        Text that the message must contain if the table is refused.
    """

    write: Writer
    expected: str
    file: str = "rows.csv"
    names: str = ""


def _cells(
    change: Callable[[str], str], columns: tuple[str, ...], share: float = 1.0, quoting: int = csv.QUOTE_MINIMAL
) -> Writer:
    """Change the text of a share of the cells of some columns, at least of one cell."""

    def write(random: Random, header: list[str], rows: list[list[object]]) -> bytes | None:
        chosen = [
            (row, column)
            for row in range(len(rows))
            for column in columns
            if rows[row][header.index(column)] is not None
        ]
        chosen = random.sample(chosen, max(1, int(share * len(chosen))))
        changed = [list(row) for row in rows]
        for row, column in chosen:
            changed[row][header.index(column)] = change(text_of(rows[row][header.index(column)]))
        return plain(header, changed, quoting=quoting).encode()

    return write


def _text(change: Callable[[Random, str], str | bytes]) -> Writer:
    """Change the text of the file."""

    def write(random: Random, header: list[str], rows: list[list[object]]) -> bytes | None:
        changed = change(random, plain(header, rows))
        return changed if isinstance(changed, bytes) else changed.encode()

    return write


def _options(**options: object) -> Writer:
    return lambda random, header, rows: plain(header, rows, **options).encode()


def _line(change: Callable[[Random, str], str], last: bool = False) -> Writer:
    """Change one line that is not the header."""

    def write(random: Random, header: list[str], rows: list[list[object]]) -> bytes | None:
        lines = plain(header, rows).splitlines()
        number = len(lines) - 1 if last else random.randrange(1, len(lines) - 1)
        lines[number] = change(random, lines[number])
        return ("\n".join(lines) + "\n").encode()

    return write


def _header(change: Callable[[Random, list[str]], list[str]]) -> Writer:
    return lambda random, header, rows: plain(change(random, list(header)), rows).encode()


def _columns_shuffled(random: Random, header: list[str], rows: list[list[object]]) -> bytes:
    order = random.sample(range(len(header)), len(header))
    return plain([header[column] for column in order], [[row[column] for column in order] for row in rows]).encode()


def _parquet(random: Random, header: list[str], rows: list[list[object]]) -> bytes:
    import pyarrow
    from pyarrow import parquet

    buffer = io.BytesIO()
    columns = {name: [row[index] for row in rows] for index, name in enumerate(header)}
    parquet.write_table(pyarrow.table(columns), buffer, compression=random.choice(["snappy", "gzip", "none"]))
    return buffer.getvalue()


def _spoilt_parquet(random: Random, header: list[str], rows: list[list[object]]) -> bytes:
    data = bytearray(_parquet(random, header, rows))
    if random.random() < 0.5:
        return bytes(data[: random.randrange(1, len(data))])
    for _ in range(random.choice([1, 3, 30])):
        data[random.randrange(len(data))] ^= random.randrange(1, 256)
    return bytes(data)


def _flipped(random: Random, text: str) -> bytes:
    data = bytearray(text.encode())
    for _ in range(random.choice([1, 1, 2, 10])):
        data[random.randrange(len(data))] = random.randrange(256)
    return bytes(data)


def _odd_cell(random: Random, header: list[str], rows: list[list[object]]) -> bytes:
    changed = [list(row) for row in rows]
    odd = ["", " ", "?", "-", ".", "NA", "nan", "None", "null", "inf", "-inf", "1e400", "1e-400", "0x10", "1_000", "1 000", "1,5", "١٢",
           "TRUE", "yes", "2024-01-05", "05/01/2024", "12:30", "$5", "5%", "(5)", "5 kg", "é", "\u200b", "\ufeff", "=1+1", "a\nb", 'a"b', "a,b",
           "a;b", "a\tb", "\x00", "x" * 100_000, "9" * 400, "-0.0", "1e", "+", "++1", "1.2.3"]  # fmt: skip
    for _ in range(random.choice([1, 1, 2, 5])):
        changed[random.randrange(len(rows))][random.randrange(len(header))] = random.choice(odd)
    return plain(header, changed).encode()


def _mixed(random: Random, header: list[str], rows: list[list[object]]) -> bytes:
    other = plain(header, rows[:20], delimiter=random.choice(";\t|"))
    return (plain(header, rows) + other).encode()


def _twice(random: Random, header: list[str]) -> list[str]:
    one, other = random.sample(range(len(header)), 2)
    header[one] = header[other] + random.choice(["", "", " "])
    return header


MUTATIONS: dict[str, Mutation] = {
    # The same content in another form
    "plain": Mutation(_options(), SAME),
    "quoted": Mutation(_options(quoting=csv.QUOTE_ALL), SAME),
    "quoted_texts": Mutation(_options(quoting=csv.QUOTE_NONNUMERIC), SAME),
    "columns_shuffled": Mutation(_columns_shuffled, SAME),
    "carriage_returns": Mutation(_text(lambda random, text: text.replace("\n", "\r\n")), SAME),
    "old_macintosh": Mutation(_text(lambda random, text: text.replace("\n", "\r")), SAME_OR_REFUSED),
    "byte_order_mark": Mutation(_text(lambda random, text: "\ufeff" + text), SAME),
    "no_last_newline": Mutation(_text(lambda random, text: text.rstrip("\n")), SAME),
    "blank_lines_at_the_end": Mutation(_text(lambda random, text: text + "\n" * random.randint(1, 4)), SAME),
    "blank_line_within": Mutation(_line(lambda random, line: line + "\n"), SAME_OR_REFUSED),
    "spaces_after": Mutation(_cells(lambda text: text + "  ", ("length", "colour", "kind", "site"), 0.3), SAME),
    "spaces_before": Mutation(_cells(lambda text: " " + text, ("length", "width", "count", "colour", "kind", "site"), 0.5), SAME),
    "spaces_everywhere": Mutation(_text(lambda random, text: text.replace(",", " , ")), SAME),
    "tab_characters_around": Mutation(_cells(lambda text: f"\t{text}\t", ("colour", "length"), 0.2), SAME_OR_REFUSED),
    "spaces_in_header": Mutation(_header(lambda random, header: [f" {name} " for name in header]), SAME),
    "semicolons": Mutation(_options(delimiter=";"), SAME_OR_REFUSED),
    "tabs": Mutation(_options(delimiter="\t"), SAME_OR_REFUSED),
    "bars": Mutation(_options(delimiter="|"), SAME_OR_REFUSED),
    "colons": Mutation(_options(delimiter=":"), SAME_OR_REFUSED),
    "trailing_commas": Mutation(_text(lambda random, text: text.replace("\n", ",\n")), SAME_OR_REFUSED),
    "trailing_commas_below": Mutation(_text(lambda random, text: text.replace("\n", ",\n").replace(",\n", "\n", 1)), SAME_OR_REFUSED),
    "exponents": Mutation(_cells(lambda text: f"{float(text):.17e}", ("length", "width"), 0.5), SAME),
    "more_digits": Mutation(_cells(lambda text: f"{text}000" if "." in text else text, ("length", "width"), 0.5), SAME),
    "plus_signs": Mutation(_cells(lambda text: text if text.startswith("-") else f"+{text}", ("length",), 0.5), SAME_OR_REFUSED),
    "missing_words": Mutation(_text(lambda random, text: text.replace(",,", ",NA,")), SAME),
    "padded_missing_words": Mutation(_text(lambda random, text: text.replace(",,", ", NA ,")), SAME),
    "parquet": Mutation(_parquet, SAME, "rows.parquet"),
    "utf_16": Mutation(_text(lambda random, text: text.encode("utf-16")), SAME_OR_REFUSED),
    "gzip": Mutation(_text(lambda random, text: gzip.compress(text.encode())), SAME_OR_REFUSED, "rows.csv.gz"),
    "gzip_as_csv": Mutation(_text(lambda random, text: gzip.compress(text.encode())), SAME_OR_REFUSED),
    "parquet_as_csv": Mutation(_parquet, SAME_OR_REFUSED),
    "csv_as_parquet": Mutation(_options(), SAME_OR_REFUSED, "rows.parquet"),
    # Faults
    "short_line": Mutation(_line(lambda random, line: line.rsplit(",", random.randint(1, 3))[0]), REFUSED),
    "short_last_line": Mutation(_line(lambda random, line: line[: line.index(",", 5)], last=True), REFUSED),
    "long_line": Mutation(_line(lambda random, line: line + ",5"), REFUSED),
    "long_line_of_texts": Mutation(_line(lambda random, line: "a,b," + line), REFUSED),
    "two_names_alike": Mutation(_header(_twice), REFUSED),
    "no_target": Mutation(_header(lambda random, header: ["kinds" if name == "kind" else name for name in header]), REFUSED, names="kind"),
    "empty_name": Mutation(_header(lambda random, header: ["" if name == "count" else name for name in header]), SAME_OR_REFUSED),
    "no_header": Mutation(_text(lambda random, text: text.split("\n", 1)[1]), REFUSED),
    "empty": Mutation(_text(lambda random, text: ""), REFUSED, names="empty"),
    "header_alone": Mutation(_text(lambda random, text: text.split("\n", 1)[0] + "\n"), REFUSED),
    "one_row": Mutation(_text(lambda random, text: "\n".join(text.split("\n")[:2]) + "\n"), REFUSED),
    "thousands": Mutation(_cells(lambda text: f"{int(text) + 1000:,}", ("count",), 0.5), REFUSED, names="count"),
    "one_thousands": Mutation(_cells(lambda text: f"{int(text) + 1000:,}", ("count",), 0.0), REFUSED, names="count"),
    "decimal_commas": Mutation(_cells(lambda text: text.replace(".", ","), ("length", "width")), REFUSED),
    "percent": Mutation(_cells(lambda text: f"{text}%", ("length",)), REFUSED, names="length"),
    "currency": Mutation(_cells(lambda text: f"${text}", ("width",)), REFUSED, names="width"),
    "units": Mutation(_cells(lambda text: f"{text} kg", ("width",), 0.9), REFUSED, names="width"),
    "brackets": Mutation(_cells(lambda text: f"({text})", ("width",), 0.9), REFUSED, names="width"),
    "dates": Mutation(_cells(lambda text: f"2024-0{int(text) % 9 + 1}-{int(text) % 28 + 1:02}", ("count",)), REFUSED, names="count"),
    "other_dates": Mutation(_cells(lambda text: f"{int(text) % 28 + 1}/{int(text) % 12 + 1}/2024", ("count",)), REFUSED, names="count"),
    "times": Mutation(_cells(lambda text: f"2024-01-05T10:{int(text) % 60:02}:00", ("count",)), REFUSED, names="count"),
    "one_word": Mutation(_cells(lambda text: "oops", ("length",), 0.0), REFUSED, names="length"),
    "two_words": Mutation(_cells(lambda text: "?", ("width",), 0.03), REFUSED, names="width"),
    "infinite": Mutation(_cells(lambda text: "inf", ("length",), 0.0), REFUSED, names="length"),
    "too_large": Mutation(_cells(lambda text: "1e400", ("length",), 0.0), REFUSED, names="length"),
    "too_long": Mutation(_cells(lambda text: "9" * 400, ("count",), 0.0), REFUSED, names="count"),
    "target_missing": Mutation(_cells(lambda text: "", ("kind",), 0.0), REFUSED, names="kind"),
    "group_missing": Mutation(_cells(lambda text: "", ("site",), 0.0), SAME_OR_REFUSED),
    "nul_byte": Mutation(_line(lambda random, line: line.replace(",", ",\x00", 1)), REFUSED),
    "open_quote": Mutation(_line(lambda random, line: '"' + line), REFUSED),
    "latin_1": Mutation(_text(lambda random, text: text.replace("red", "r\xe9d").encode("latin-1")), REFUSED),
    "image": Mutation(_text(lambda random, text: b"\x89PNG\r\n\x1a\n" + random.randbytes(2000)), REFUSED),
    "zeros": Mutation(_text(lambda random, text: bytes(5000)), REFUSED),
    "noise": Mutation(_text(lambda random, text: random.randbytes(3000)), REFUSED),
    "page": Mutation(_text(lambda random, text: "<html><body>404, not found</body></html>\n"), REFUSED),
    "json": Mutation(_text(lambda random, text: '[{"length": 1.5, "kind": "long"}]\n'), REFUSED),
    # Any result is valid, but a message must be clear
    "odd_cell": Mutation(_odd_cell, EITHER),
    "flipped": Mutation(_text(_flipped), EITHER),
    "truncated": Mutation(_text(lambda random, text: text.encode()[: random.randrange(len(text))]), EITHER),
    "spoilt_parquet": Mutation(_spoilt_parquet, EITHER, "rows.parquet"),
    "mixed": Mutation(_mixed, EITHER),
    "odd_cell_again": Mutation(_odd_cell, EITHER),
    "flipped_again": Mutation(_text(_flipped), EITHER),
}  # fmt: skip

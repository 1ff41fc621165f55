"""The reader of tables returns the right cells, or reports file and line of an error."""

import bz2
import gzip
import io
import lzma
import zipfile

import numpy as np
import pandas as pd
import pytest

from gamtune.errors import InputError
from gamtune.tables.dialect import Dialect
from gamtune.tables.table import read_header, read_table

PLAIN = "a,b\n1,x\n2,y\n"
CELLS = {"a": [1, 2], "b": ["x", "y"]}
DIALECT = Dialect(key="data.csv")


@pytest.fixture
def write(tmp_path):
    def write(content, name="rows.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def cells(path, dialect=DIALECT):
    return read_table(path, dialect=dialect).frame().to_dict("list")


@pytest.mark.parametrize(
    "content",
    [
        PLAIN, PLAIN.replace("\n", "\r\n"), PLAIN.replace("\n", "\r"), PLAIN.rstrip(), "\n \n" + PLAIN + "\n\n",
        PLAIN.replace("\n", "\n\n"), PLAIN.replace("2,y", " \n2,y"), "\ufeff" + PLAIN, PLAIN.encode("utf-16"),
        PLAIN.encode("utf-32"), gzip.compress(PLAIN.encode(), mtime=0), bz2.compress(PLAIN.encode()), lzma.compress(PLAIN.encode()),
        " a , b\n 1 ,x \n\t2,\u00a0y\n", '"a","b"\n"1","x"\n"2","y"\n', 'a, "b"\n1, "x" \n2 ,"y"\n', "a,b\n1,x,\n2,y,\n",
        "a,b,\n1,x,\n2,y,\n", "a,b\n1,x,,\n2,y,,\n", PLAIN.replace(",", ";"), PLAIN.replace(",", "\t"),
        PLAIN.replace(",", "|"), "sep=;\n" + PLAIN.replace(",", ";"),
    ],
)  # fmt: skip
def test_tables_are_read_in_any_supported_dialect(write, content):
    path = write(content)
    assert read_header(path, DIALECT) == ["a", "b"]
    assert cells(path) == CELLS


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("", "the file is empty, expected a header"),
        (" \n\n", "the file is empty"),
        ("a,b\n", "has a header but no rows"),
        ("a,b,c\n1,2,3\n1,2\n", "line 3 has 2 cells, but the header has 3"),
        ("a,b\n1,2\n\n1,2,3\n", "line 4 has 3 cells, but the header has 2"),
        ("a,b\n1,2,\n3,4\n", "line 3 has 2 cells, but the header has 2 and the first line after it 3"),
        ("a,b\nr1,1,2\nr2,3,4\n", "line 2 has 3 cells, but the header has 2; name each column, or write the file without"),
        ('a,b\n1,"x\ny"\n2\n', "line 4 has 1 cell, but the header has 2"),
        ("a,a\n1,2\n", "two columns have the name 'a'; rename one"),
        ("a, a\n1,2\n", "two columns have the name 'a'; rename one"),
        (",a\n0,1\n", "column 1 has no name; give it one, or write the file without its index"),
        ('a,b\n1,"x\n2,y\n3,z\n', "line 2: a quotation mark is not closed"),
        ('a,b\n1,2\n1,"x"y\n', "line 3: a quotation mark is not closed, or more text follows it"),
        ('a,b\n1,5" x 7"\n', "line 2: a quotation mark is inside a cell; enclose the whole cell"),
        ("a,b\n1,\0x\n", "line 2 contains a NUL byte"),
        (PLAIN.encode("utf-16-le"), "is encoded in UTF-16 without a byte order mark; save it as UTF-8, or set data.csv: {enc"),
        ("a,b\n1,x\n2,é\n".encode("latin-1"), "line 3: byte 0xe9 is not valid UTF-8; save the file as UTF-8, or set data.csv"),
        (PLAIN.encode("utf-16") + b"x", "line 4: the text is not valid in the encoding utf-16-le"),
        (gzip.compress(PLAIN.encode(), mtime=0)[:-9], "the gzip file is damaged or truncated"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "is an Excel workbook"),
        ("a,b;c,d\n1,2;3,4\n", r"the separator is ambiguous: ',' (comma) and ';' (semicolon) both divide all lines"),
        (b"PAR1abc", "is not a valid Parquet file"),
        (",\n,\n", "column 1 has no name"),
    ],
)  # fmt: skip
def test_an_invalid_table_is_reported_in_one_line(write, content, line):
    path = write(content)
    with pytest.raises(InputError) as caught:
        read_table(path, dialect=DIALECT)
    assert str(caught.value).startswith(f"{path}: {line}")
    assert "\n" not in str(caught.value)


def test_archives_and_folders_are_refused(write, tmp_path):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("rows.csv", PLAIN)
    with pytest.raises(InputError, match=r"rows.zip: is a ZIP archive or an Excel workbook; unpack it"):
        read_table(write(archive.getvalue(), "rows.zip"))
    with pytest.raises(InputError, match="is a folder, expected a file"):
        read_table(tmp_path)
    with pytest.raises(InputError, match="/dev/zero: is a device"):
        read_header(tmp_path.__class__("/dev/zero"))


def test_a_declared_dialect_is_followed_and_checked(write):
    path = write("a;b\n1,5;é\n-2,25e1;x\n".encode("latin-1"))
    dialect = Dialect(separator=";", decimal=",", encoding="latin-1", key="data.csv")
    assert cells(path, dialect) == {"a": [1.5, -22.5], "b": ["é", "x"]}
    with pytest.raises(InputError, match="is encoded in UTF-8, but the declared encoding is latin-1"):
        read_table(write("a;b\n1;é\n"), dialect=dialect)
    assert Dialect(**dialect.settings).settings == dialect.settings


def test_words_for_missing_values_ignore_spaces_in_csv_and_parquet(write, tmp_path):
    path = write("a, b\n ? ,x\n5, NA\n")
    pd.DataFrame({"a": [" ? ", "5"], " b": ["x", "NA "]}).to_parquet(tmp_path / "rows.parquet")
    for file in (path, tmp_path / "rows.parquet"):
        table = read_table(file, missing=("?", "NA"))
        assert np.isnan(table.column("a").numbers()[0])
        assert table.column("b").texts().tolist() == ["x", None]


def test_numbers_are_read_to_the_last_digit(write):
    values = np.random.default_rng(1).normal(size=500) * 10.0 ** np.random.default_rng(2).integers(-300, 300, 500)
    path = write("a,b\n" + "".join(f"{value!r},1\n" for value in values.tolist()))
    assert (read_table(path).column("a").numbers() == values).all()


def test_the_first_invalid_number_is_reported(write):
    path = write("a,b\n1,2024-02-07\n,3\n?,4\n")
    with pytest.raises(InputError, match=r"rows.csv: row 3, column 'a': '\?' is text, expected a number"):
        read_table(path).column("a").numbers()
    with pytest.raises(InputError, match=r"row 1, column 'b': '2024-02-07' is a date or a time, expected a number"):
        read_table(path).column("b").numbers()
    with pytest.raises(InputError, match="no column 'c': unknown column, expected one of a, b"):
        read_table(path).column("c")


def test_twenty_thousand_columns_and_a_line_longer_than_a_block_are_read(write):
    names = [f"c{number}" for number in range(20_000)]
    path = write(",".join(names) + "\n" + ",".join(["1.5"] * 20_000) + "\n")
    assert len(read_table(path).names) == len(read_header(path)) == 20_000
    assert cells(write("a,b\n1," + "x" * (1 << 24) + "\n2,y\n"))["a"] == [1, 2]


def test_a_header_is_read_without_the_rest_of_a_long_file(write):
    lines = PLAIN + "1,x\n" * 400_000
    for content in (lines, lines.encode("utf-16"), gzip.compress(lines.encode()), lines.replace("\n", "\r")):
        assert read_header(write(content)) == ["a", "b"]
    with pytest.raises(InputError, match="line 1: a quotation mark is not closed"):
        read_header(write('"' + lines))


def test_an_empty_cell_is_always_missing(write):
    column = read_table(write("a,b\n,x\n?,y\n5,z\n"), missing=("?",)).column("a")
    assert column.missing == 2
    assert column.numbers()[2] == 5

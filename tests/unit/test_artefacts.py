"""gamtune's own CSV files are read back unchanged, and no cell is a formula for a spreadsheet."""

import csv
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gamtune.errors import InputError
from gamtune.results.artefacts import artefact_text, read_artefact, read_rows, write_artefact

TEXT = st.text(st.characters(codec="utf-8"), max_size=6)
SPECIAL = st.sampled_from(
    ["", "None", "NA", "nan", "null", "=1+1", "+1", "-1", "-", "@x", "\t=", "\r", "'=x", "''-", "＝1", " =1", '"', ",",
     "\n", "007", "1.0", "1e5", "True", " a ", "'", "\ufeff", "inf"]
)  # fmt: skip
CELL = st.none() | SPECIAL | TEXT


@given(st.integers(1, 4).flatmap(lambda n: st.lists(st.tuples(*[CELL] * n), max_size=5)), st.data())
@example([(None,), ("",), (None,)], None)
def test_every_table_of_text_is_read_back_unchanged(tmp_path_factory, rows, data):
    width = len(rows[0]) if rows else 2
    names = data.draw(st.lists(SPECIAL | TEXT, min_size=width, max_size=width)) if data else ["x"]
    path = tmp_path_factory.getbasetemp() / "artefact.csv"
    frame = pd.DataFrame(rows, columns=range(width), dtype=object).set_axis(names, axis=1)
    write_artefact(frame, path)
    read = read_artefact(path, text=True)
    assert read.columns.tolist() == names
    assert read.to_numpy().tolist() == [list(row) for row in rows]
    assert [list(row.values()) for row in read_rows(path)] == [
        list(dict(zip(names, ("" if cell is None else cell for cell in row), strict=True)).values()) for row in rows
    ]


@given(st.lists(st.tuples(st.floats(), st.integers(-(2**70), 2**70), st.booleans()), min_size=1, max_size=5))
def test_numbers_and_booleans_are_read_back_unchanged(tmp_path_factory, rows):
    path = tmp_path_factory.getbasetemp() / "numbers.csv"
    frame = pd.DataFrame({"x": [row[0] for row in rows], "n": [row[1] for row in rows], "b": [row[2] for row in rows]})
    write_artefact(frame, path)
    read = read_artefact(path)
    assert np.array_equal(read["x"], frame["x"], equal_nan=True)
    assert read["n"].tolist() == frame["n"].tolist()
    assert read["b"].tolist() == frame["b"].tolist()


@given(SPECIAL | TEXT)
def test_text_cells_are_escaped_so_that_they_are_not_formulas(text):
    line = artefact_text(["column"], [[text]]).split("\n", 1)[1]
    cell = next(csv.reader(io.StringIO(line, newline="")), [""])
    first = (cell or [""])[0].lstrip(" ")[:1]
    assert first not in ("=", "@", "\t", "\r", "＝", "＋", "－", "＠")
    if first in ("+", "-"):
        float(cell[0])


def test_negative_numbers_are_not_escaped():
    assert (
        artefact_text(["x", "text"], [[-1.5, "-1.5"], [-0.0, "+5"], [None, "-a"]])
        == "x,text\n-1.5,-1.5\n-0.0,+5\n,'-a\n"
    )


def test_only_empty_cells_are_missing_values(tmp_path):
    write_artefact(pd.DataFrame({"a": ["None", "NA", "nan", ""], "b": [1, None, 3, None]}), tmp_path / "a.csv")
    read = read_artefact(tmp_path / "a.csv")
    assert read["a"].tolist() == ["None", "NA", "nan", ""]
    assert read["b"].isna().tolist() == [False, True, False, True]


def test_columns_of_text_keep_text_that_looks_like_numbers(tmp_path):
    write_artefact(pd.DataFrame({"name": ["01", "2"], "n": [1, 2], "empty": [None, None]}), tmp_path / "a.csv")
    read = read_artefact(tmp_path / "a.csv", text=("name",))
    assert read["name"].tolist() == ["01", "2"]
    assert read["n"].tolist() == [1, 2]
    assert read["empty"].isna().all()


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "it is empty"),
        (b"a,b\n1,2\n3", "its end is missing"),
        (b"a,b\n1,2\n3\n", "(line 3|row 2) has 1 cell(\\(s\\))?, but the header has 2"),
        (b'a,b\n1,"2\n', "quotation mark|unexpected end of data"),
        (b"a,b\n\xff,2\n", "not UTF-8 text"),
    ],
)
@pytest.mark.parametrize("read", [read_artefact, read_rows])
def test_a_damaged_artefact_is_reported_in_one_line(tmp_path, content, found, read):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(InputError, match=rf"a.csv: damaged: .*({found}).*; delete it and run again") as caught:
        read(tmp_path / "a.csv")
    assert "\n" not in str(caught.value)
    (tmp_path / "a.csv").unlink()
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "a.csv")

"""The rule that determines the type of a column."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamtune.errors import InputError
from gamtune.tables.column import Column
from gamtune.tables.identifiers import identifier
from gamtune.tables.types import Type, type_of


def column(cells, name="x", file="rows.csv", **more):
    return Column(name, pa.array(cells), lambda row: f"{file}: row {row + 1}", **more)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", "-2.5", None, "+3", "1e3", ".5", "5."], Type.NUMBER),
        (["True", "FALSE", "false", None], Type.TRUTH),
        ([True, None, False], Type.TRUTH),
        ([1, 2, None], Type.NUMBER),
        (["20240207", "20241340"], Type.NUMBER),
        (["a", "b", None], Type.CATEGORY),
        (["01", "A", "B"], Type.CATEGORY),
        (["S", "M", "L", "38", "40"], Type.CATEGORY),
        (["10-19", "20-29"], Type.CATEGORY),
        (["<=50K", ">50K"], Type.CATEGORY),
        (["1st", "2nd", "3rd", "4th"], Type.CATEGORY),
        (["2WD", "4WD"], Type.CATEGORY),
        (["1.2.3", "1.2.4"], Type.CATEGORY),
        (["True", "False", "unknown"], Type.CATEGORY),
        (["may", "june", "low"], Type.CATEGORY),
        ([None, None], Type.NUMBER),
    ],
)
def test_the_type_of_a_column_follows_from_its_cells(cells, expected):
    assert type_of([column(cells)]) is expected


NOTATIONS = ["1,234", "1.234,5", "1 234", "1\u00a0234", "1'234", "1_000", "3,14", "$5", "5 €", "USD 5", "-$5", "(5)",
             "(1,234.50)", "12%", "12 %", "0x10", "\u22125", "\uff15", "5-"]  # fmt: skip
DATES = ["2024-02-07", "2024-2-7", "2024/02/07", "7.2.2024", "07/02/2024", "02/07/24", "2024-02-07T12:00:00Z",
         "2024-02-07 12:00:00.5+01:00", "7 Feb 2024", "Feb 7, 2024", "Wed, 07 Feb 2024 10:00:00 GMT", "12:30", "1:30 PM",
         "2024-02"]  # fmt: skip


@pytest.mark.parametrize("cell", NOTATIONS)
@pytest.mark.parametrize("others", [["1", "2"], ["x", "y"], []])
def test_numbers_in_another_notation_are_refused(cell, others):
    with pytest.raises(InputError) as caught:
        type_of([column([*others, None, cell])])
    row = len(others) + 2
    assert f"rows.csv: row {row}, column 'x': {cell!r} is a number in another notation" in str(caught.value)
    assert type_of([column([*others, cell])], categorical=True) is Type.CATEGORY


def test_numbers_with_units_are_refused():
    with pytest.raises(InputError, match="row 1, column 'x': '3 kg' is a number in another notation"):
        type_of([column(["3 kg", "4 kg", "5.5 kg"])])


@pytest.mark.parametrize("cell", DATES)
def test_dates_are_refused_in_csv_and_parquet(cell):
    expected = f"row 1, column 'x' holds dates or times: {cell!r}; convert them to numbers, such as days"
    with pytest.raises(InputError) as caught:
        type_of([column([cell, "unknown", None])])
    assert expected in str(caught.value)
    with pytest.raises(InputError, match="row 2, column 'x' holds dates or times: '2024-02-07'"):
        type_of([Column("x", pa.array([None, pd.Timestamp("2024-02-07").date()]), lambda row: f"row {row + 1}")])


@pytest.mark.parametrize(
    ("cells", "line"),
    [
        (["1", "2", "3", "?"], "row 4, column 'x': '?' is not a number, but other cells of the column are; correct it"),
        (["?", "?", "n/a", "1", "2"], "row 1, column 'x': '?' is not a number"),
        (["0", "1", "unknown"], "row 3, column 'x': 'unknown' is not a number"),
        (["1", "2", "inf"], "row 3, column 'x': 'inf' is not a finite number"),
        (["1", "-Infinity"], "row 2, column 'x': '-Infinity' is not a finite number"),
        (["9007199254740993", "9007199254740995"], "row 1, column 'x': '9007199254740993' has more digits"),
        ([9007199254740993, 1], "row 1, column 'x': '9007199254740993' has more digits"),
        (["01000", "20095"], "row 1, column 'x': '01000' has a leading zero, which is typical of codes"),
        ([["a"], ["b"]], "row 1, column 'x': \"['a']\" is neither a number nor text"),
        ([None, "20240207", "20231231"], "row 2, column 'x' holds dates or times: '20240207'"),
        ([20240207, 20231231], "row 1, column 'x' holds dates or times: '20240207'"),
        ([b"a"], "row 1, column 'x': \"b'a'\" is neither a number nor text"),
    ],
)
def test_cells_that_do_not_match_the_declared_type_are_reported(cells, line):
    with pytest.raises(InputError) as caught:
        type_of([column(cells)])
    assert line in str(caught.value)


def test_decimal_commas_are_read_if_declared():
    assert type_of([column(["3,14", "2,5e3", "7"], decimal=",")]) is Type.NUMBER
    assert column(["3,14", None, "7"], decimal=",").numbers()[0] == 3.14
    with pytest.raises(InputError, match=r"'1\.5' is a number in another notation"):
        type_of([column(["3,14", "1.5"], decimal=",")])
    with pytest.raises(InputError, match=r'or set data.csv: \{decimal: ","\}'):
        type_of([column(["3,14"])])


SOME = st.sampled_from(
    [None, "1", "2.5", "x", "y", "z", "True", "false", "2024-02-07", "1,234", "01", "5 kg", "inf", "9007199254740993"]
)


def outcome(columns):
    try:
        return type_of(columns)
    except InputError as error:
        return str(error).partition("column 'x'")[2].split("'")[-1][:30]


@pytest.mark.parametrize("cell", ["01", "9007199254740993"])
@pytest.mark.parametrize("others", [["2.5", "x", "y"], ["2.5", "7"]])
def test_a_code_among_fractions_has_the_same_type_in_every_file(cell, others):
    one, two = [column([cell, *others])], [column([cell]), column(others)]
    assert outcome(one) == outcome(two)


@given(st.lists(st.lists(SOME, min_size=1, max_size=6), min_size=1, max_size=4), st.randoms())
def test_types_do_not_depend_on_the_order_of_files_or_rows(files, random):
    expected = outcome([column(cells) for cells in files])
    joined = [cell for cells in files for cell in cells]
    for _ in range(3):
        random.shuffle(files)
        for cells in files:
            random.shuffle(cells)
        assert outcome([column(cells) for cells in files]) == expected
    random.shuffle(joined)
    assert outcome([column(joined)]) == expected


@given(st.lists(st.none() | st.integers(-5, 5) | st.floats(-5, 5), min_size=1), st.booleans())
def test_numbers_have_the_same_type_and_values_as_text_and_as_numbers(values, as_float):
    values = [None if value is None else float(value) for value in values] if as_float else [
        None if value is None else int(value) for value in values]  # fmt: skip
    text = column([None if value is None else str(value) for value in values])
    numbers = column(pa.array(values, pa.float64() if as_float else pa.int64()))
    assert type_of([text]) is type_of([numbers]) is type_of([text, numbers]) is Type.NUMBER
    assert np.array_equal(text.numbers(), numbers.numbers(), equal_nan=True)
    assert text.texts().tolist() == numbers.texts().tolist()


@pytest.mark.parametrize(
    ("name", "cells", "found"),
    [
        ("customer_id", np.arange(90.0), True),
        ("PassengerId", np.arange(90.0)[::-1], True),
        ("id", np.append(np.arange(90.0), 5), False),
        ("id", np.arange(90.0) + 0.5, False),
        ("id", np.arange(5.0), False),
        ("age", np.arange(90.0), False),
        ("valid", np.arange(90.0), False),
        ("name", np.array([f"n{number}" for number in range(90)], dtype=object), True),
        ("name", np.array([f"n{number % 80}" for number in range(90)], dtype=object), False),
    ],
)
def test_identifiers_are_recognised(name, cells, found):
    assert bool(identifier(name, cells)) is found

"""Tables as written by common programs; ambiguous ones are refused in one line before files are written."""

import datetime
import re
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from gamtune.config.data_section import Data
from gamtune.data.prepare import prepare
from gamtune.data.preprocessing import Preprocessing
from gamtune.data.table_file import read_table
from gamtune.errors import InputError
from gamtune.tables.table import read_table as read_file


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def rows():
    """Return 60 samples with two numbers, a code and a class."""
    random = np.random.default_rng(1)
    table = pd.DataFrame({"a": random.normal(size=60), "b": random.normal(size=60)})
    return table.assign(code=random.integers(1, 4, 60) * 1000, y=[*"pqr"] * 20)


def data_of(path="rows.csv", **more):
    return Data(source="table", path=path, target=more.pop("target", "y"), **more)


def refused(folder, data):
    with pytest.raises(InputError) as caught:
        prepare(data, folder / "data")
    assert not (folder / "data").exists()
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_a_table_with_an_unnamed_index_is_refused(folder, rows):
    rows.to_csv("rows.csv")
    assert "rows.csv: column 1 has no name; give it one, or write the file without its index" in refused(
        folder, data_of()
    )


def test_two_columns_of_one_name_are_refused(folder, rows):
    rows.rename(columns={"b": "a"}).to_csv("rows.csv", index=False)
    assert "two columns have the name 'a'" in refused(folder, data_of())


def test_lines_longer_than_the_header_are_not_shifted(folder):
    (folder / "rows.csv").write_text("a,b,y\n" + "".join(f"{row},2,p,{row % 2}\n" for row in range(40)))
    assert "rows.csv: line 2 has 4 cells, but the header has 3" in refused(folder, data_of())
    (folder / "rows.csv").write_text("a,b,y\n" + "".join(f"{row},2,{'pq'[row % 2]},\n" for row in range(40)))
    assert read_table(data_of()).features["a"].tolist() == list(range(40))


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        ({"a is missing": 1.0}, "two inputs have the name 'a is missing'"),
        ({"t": [*"xyz"] * 20, "t=x": [1.0, 2.0] * 30}, "two inputs have the name 't=x'"),
        ({"t": ["(missing)", "x", None] * 20}, "column 't' contains '(missing)', which is reserved for missing cells"),
    ],
)
def test_inputs_with_equal_names_are_refused(folder, rows, columns, line):
    rows.loc[::7, "a"] = None
    rows.assign(**columns).to_csv("rows.csv", index=False)
    assert line in refused(folder, data_of())


@pytest.mark.parametrize(
    ("column", "cells", "line"),
    [
        (
            "y",
            [datetime.date(2026, 1, day % 3 + 1) for day in range(60)],
            "row 1, column 'y' holds dates or times: '2026-01-01'",
        ),
        ("y", pd.to_datetime(["2026-01-01", "2026-01-02"] * 30), "row 1, column 'y' holds dates or times: '2026-01-01"),
        ("y", [b"p", b"q"] * 30, "row 1, column 'y': \"b'p'\" is neither a number nor text; convert the column"),
        ("a", [[1, 2]] * 60, "row 1, column 'a': '[1, 2]' is neither a number nor text"),
        (
            "a",
            ["1e39"] + ["2"] * 59,
            "row 1, column 'a': '1e39' is not a finite number in single precision; correct it",
        ),
    ],
)
def test_cells_that_are_neither_numbers_nor_text_are_reported(folder, rows, column, cells, line):
    rows.assign(**{column: cells}).to_parquet("rows.parquet")
    assert line in refused(folder, data_of("rows.parquet"))


def test_a_regression_target_as_text_has_no_infinite_cell(folder, rows):
    rows.assign(y=["inf"] + ["1.5", "2.5", "3.5"] * 19 + ["4.5", "0"]).to_parquet("rows.parquet")
    line = refused(folder, data_of("rows.parquet", task="regression"))
    assert "row 1, column 'y': 'inf' is not a finite number in single precision" in line


def test_decimals_are_numbers(rows):
    rows.assign(a=[Decimal("1.5")] * 59 + [None], y=[Decimal(n) / 8 for n in range(60)]).to_parquet("rows.parquet")
    read = read_table(data_of("rows.parquet"))
    assert read.task == "regression"
    assert read.features["a"].dtype == float


def test_a_category_without_samples_is_not_a_class(rows):
    rows.assign(y=pd.Categorical(rows["y"], categories=[*"pqrs"])).to_parquet("rows.parquet")
    assert read_table(data_of("rows.parquet")).classes == ["p", "q", "r"]


def test_only_a_named_index_is_a_column(rows):
    sites = rows.assign(site=np.arange(60) // 6)
    sites.set_index("site").to_parquet("named.parquet")
    assert read_table(data_of("named.parquet", group="site")).groups.nunique() == 10
    sites.sample(frac=1, random_state=1).to_parquet("shuffled.parquet")
    sites.to_parquet("plain.parquet")
    read = read_table(data_of({"train": "shuffled.parquet", "test": "plain.parquet"}, group="site"))
    assert list(read.features) == ["a", "b", "code"]


def test_a_group_split_by_files_or_a_column_is_reported(folder, rows):
    rows["site"] = [*"ABCDEF"] * 10
    rows[rows["site"] < "E"].to_csv("train.csv", index=False)
    rows[rows["site"] > "C"].to_csv("test.csv", index=False)
    line = refused(folder, data_of({"train": "train.csv", "test": "test.csv"}, group="site"))
    assert re.fullmatch(
        "data: group '[CD]' of 'site' has samples in test and in (train|validation); put all samples of a group into one part",
        line,
    )
    rows.assign(part=["train", "train", "validation", "test"] * 15).to_csv("rows.csv", index=False)
    line = refused(folder, data_of(group="site", validation={"column": "part"}, test={"column": "part"}))
    assert "group 'A' of 'site' has samples in train and in validation" in line


def test_a_column_of_one_file_may_be_dropped_and_one_that_training_lacks_is_ignored(rows):
    rows.assign(id=range(60)).to_csv("train.csv", index=False)
    rows.assign(later=1).to_csv("test.csv", index=False)
    read = read_table(data_of({"test": "test.csv", "train": "train.csv"}, drop=["id"]))
    assert list(read.features) == ["a", "b", "code"]
    assert (read.parts[-60:] == "test").all()


def test_a_numeric_target_with_rare_values_is_refused_with_a_hint_at_regression(folder, rows):
    rows.assign(y=[1] + [2, 3] * 29 + [2]).to_csv("rows.csv", index=False)
    assert refused(folder, data_of()).endswith("one per part; is data.task regression?")


def inputs_of(file, fitted):
    """Return the inputs of the exported model for a file, as `gamtune predict` reads it."""
    table = read_file(file, fitted.missing, fitted.dialect)
    cells = {name: table.column(name) for name in fitted.columns}
    return fitted.apply(
        pd.DataFrame({name: cell.texts() if name in fitted.levels else cell.numbers() for name, cell in cells.items()})
    )


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_code_is_the_same_level_in_every_file(folder, rows, suffix):
    def write(table, name):
        (table.to_csv if suffix == "csv" else table.to_parquet)(f"{name}.{suffix}", index=False)

    rows["word"] = ["01", "A", "B"] * 20  # a file with the first row only contains a number
    write(
        rows.assign(code=rows["code"].where(rows.index != 0)), "rows"
    )  # a missing value makes all numbers of the column floats
    data = data_of(f"rows.{suffix}", categorical=["code"], validation={"fraction": 0.2})
    prepare(data, folder / "data")
    fitted = Preprocessing.read(folder / "data/preprocessing.json")
    assert fitted.levels["code"][:3] == ["1000", "2000", "3000"]
    whole = inputs_of(folder / f"rows.{suffix}", fitted)
    for row in (1, 2, 3, 4):
        write(rows[row : row + 1], "one")
        assert (inputs_of(folder / f"one.{suffix}", fitted)[0] == whole[row]).all()

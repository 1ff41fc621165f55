"""Irregular files from tests/cases give the right result, or an error of one line and no files."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gamtune.cli.main import main
from gamtune.config.data_section import Data
from gamtune.config.load import read_study
from gamtune.data.prepare import prepare
from gamtune.errors import InputError
from gamtune.results.csv_rows import ColumnUse

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests" / "cases"


@pytest.fixture
def case(tmp_path, monkeypatch):
    """Copy a case into a new folder and change to it."""

    def enter(name):
        shutil.copytree(CASES / name, tmp_path / name)
        monkeypatch.chdir(tmp_path / name)
        return tmp_path / name

    return enter


def prepared(data):
    prepare(data, Path("data"))
    return json.loads(Path("data/dataset.json").read_text())


def refused(data):
    with pytest.raises(InputError) as caught:
        prepare(data, Path("data"))
    assert not Path("data").exists()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def of_config():
    return read_study("config.yaml").data


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("08-short-rows", "rows.csv: line 11 has 2 cells, but the header has 3"),
        ("09-thousands-become-levels", "rows.csv: row 2, column 'pay': '1,222' is a number in another notation"),
        ("11-dates-become-levels", "rows.csv: row 1, column 'day' holds dates or times: '2024-02-07'; convert them"),
        (
            "14-target-gap-word-is-a-class",
            "rows.csv: row 1, column 'y': '?' is not a number, but other cells of the column",
        ),
        ("18-one-file-twice", "data.path: rows.csv (test) and rows.csv (train) are the same file"),
    ],
)
def test_an_ambiguous_table_is_refused(case, name, line):
    case(name)
    assert refused(of_config()).startswith(line)


def test_dates_in_parquet_files_are_refused(case):
    case("11-dates-become-levels")
    rows = pd.read_csv("rows.csv", parse_dates=["day"])
    rows.assign(day=rows["day"].dt.date).to_parquet("rows.parquet")
    rows.to_parquet("times.parquet")
    for file in ("rows.parquet", "times.parquet"):
        line = refused(of_config().model_copy(update={"path": file}))
        assert f"{file}: row 1, column 'day' holds dates or times: '2024-02-07" in line


def test_declared_categories_may_look_like_numbers(case):
    case("09-thousands-become-levels")
    assert prepared(of_config().model_copy(update={"categorical": ["pay"]}))["inputs"] > 10


def test_a_target_can_be_declared_as_categorical(case):
    case("14-target-gap-word-is-a-class")
    data = of_config()
    assert "expected a number" not in refused(data)
    assert "?" in prepared(data.model_copy(update={"categorical": ["y"]}))["classes"]
    with pytest.raises(ValueError, match="categorical lists the target 'y', but task is regression"):
        Data.model_validate(data.model_dump() | {"categorical": ["y"], "task": "regression"})


@pytest.mark.parametrize("link", [os.symlink, os.link, shutil.copyfile])
def test_links_to_one_file_are_detected_but_copies_are_accepted(case, link):
    case("18-one-file-twice")
    link("rows.csv", "other.csv")
    data = of_config().model_copy(update={"path": {"train": "rows.csv", "test": "other.csv"}})
    if link is shutil.copyfile:
        prepared(data)
    else:
        assert "other.csv (test) and rows.csv (train) are the same file" in refused(data)


def test_spaces_around_labels_groups_and_parts_are_ignored(case):
    case("15-target-trailing-spaces")
    assert prepared(of_config())["classes"] == ["no", "yes"]
    rows = pd.read_csv("rows.csv")
    padded = np.where(np.arange(90) % 2, "", " ")
    parts = np.repeat(["train", "validation", "Test"], [50, 20, 20]) + padded
    rows = rows.assign(site=pd.Series(np.arange(90) // 10).astype(str) + padded, part=parts)
    rows.to_csv("rows.csv", index=False)
    column = {"validation": {"column": "part"}, "test": {"column": "part"}}
    data = Data.model_validate(of_config().model_dump() | column | {"group": "site"})
    assert prepared(data)["rows"] == {"train": 50, "validation": 20, "test": 20}


def test_a_class_can_have_the_name_of_a_missing_value(case):
    case("19-class-none")
    assert prepared(of_config())["classes"] == ["Mild", "None", "Severe"]


def test_booleans_with_missing_values_are_numbers_in_every_file(case):
    case("39-booleans-with-gaps-two-files")
    data = of_config()
    prepared(data)
    written = json.loads(Path("data/preprocessing.json").read_text())
    assert written["levels"] == {}
    assert written["features"] == ["a", "b", "flag", "flag is missing"]
    shutil.rmtree("data")
    files = {"train": data.paths["test"], "test": data.paths["train"]}
    prepared(data.model_copy(update={"path": files}))
    assert json.loads(Path("data/preprocessing.json").read_text())["features"] == written["features"]


def test_a_space_after_the_comma_belongs_neither_to_names_nor_to_cells(case):
    case("53-missing-word-with-space")
    prepared(Data(source="table", path="rows.csv", target="survived", missing=["?"]))
    written = json.loads(Path("data/preprocessing.json").read_text())
    assert written["columns"] == ["age", "fare"]
    assert list(written["fill"]) == ["fare"]


def test_other_separators_are_recognised(case):
    case("55-separators")
    assert prepared(Data(source="table", path="semicolon.csv", target="strength"))["task"] == "regression"
    shutil.rmtree("data")
    text = Path("semicolon.csv").read_text()
    Path("spaces.csv").write_text(text.replace(";", " "))
    line = refused(Data(source="table", path="spaces.csv", target="strength"))
    assert "its only column is 'Cement Blast_Furnace_Slag" in line
    assert 'set data.csv: {separator: " "}' in line
    assert prepared(Data(source="table", path="spaces.csv", target="strength", csv={"separator": " "}))["inputs"] == 7


def test_an_empty_file_is_reported(case):
    case("56-empty-file")
    line = refused(Data(source="table", path="rows.csv", target="y"))
    assert line.startswith("data.path: rows.csv: the file is empty, expected a header")


def test_labels_of_another_file_are_shown_beside_those_of_training(case):
    case("57-label-only-in-test")
    data = Data(source="table", path={"train": "train.csv", "test": "test.csv"}, target="survived")
    assert "column 'survived': train.csv has the labels 0, 1, but test.csv has no, yes" in refused(data)
    rows = pd.read_csv("test.csv")
    rows.assign(survived=rows["survived"].map({"no": 0, "yes": 2})).to_csv("test.csv", index=False)
    assert "train.csv has the labels 0, 1, but test.csv has 0, 2" in refused(data)


def test_identifiers_and_the_index_of_pandas_are_refused(case):
    case("15-target-trailing-spaces")
    rows = pd.read_csv("rows.csv")
    rows.assign(id=np.arange(90)).to_csv("rows.csv", index=False)
    assert "column 'id' holds 90 distinct whole numbers, so it is an identifier; list it in data.drop" in refused(
        of_config()
    )
    assert prepared(of_config().model_copy(update={"drop": ["id"]}))["inputs"] == 2
    shutil.rmtree("data")
    rows.assign(**{"Unnamed: 0": np.arange(90)}).to_csv("rows.csv", index=False)
    assert "column 'Unnamed: 0' is an index written by pandas; list it in data.drop" in refused(of_config())
    assert prepared(of_config().model_copy(update={"drop": ["Unnamed: 0"]}))["inputs"] == 2


@pytest.mark.parametrize(
    ("name", "file", "line"),
    [
        (
            "06-metrics-duplicate-columns",
            "predictions.csv",
            "two columns have the name 'predicted'; rename one of them",
        ),
        ("42-metrics-no-distribution", "sums.csv", "row 1: the probabilities in p_a, p_b sum to 1.8, expected 1"),
    ],
)
def test_predictions_that_cannot_be_scored_are_refused(case, capsys, name, file, line):
    case(name)
    assert main(["metrics", file]) == 2
    assert capsys.readouterr().err == f"{file}: {line}\n"


def test_metrics_are_valid_json_and_use_the_classes_of_the_column_actual(case, capsys):
    case("41-metrics-nan")
    assert main(["metrics", "predictions.csv"]) == 0
    assert json.loads(capsys.readouterr().out, parse_constant=pytest.fail)["r2"] is None
    case("42-metrics-no-distribution")
    assert main(["metrics", "pvalue.csv"]) == 0
    assert json.loads(capsys.readouterr().out)["classes"] == ["a", "b"]


def test_a_comma_at_the_end_of_each_line_does_not_shift_columns(case, capsys):
    case("03-gam-columns-shift")
    for file in ("good", "trailing"):
        assert main(["gam", f"{file}.csv", "--formula", "s(x, k=5)", "--out", file]) == 0
    names = [path.name for path in Path("good").iterdir() if path.suffix in (".csv", ".txt")]
    assert len(names) > 3
    for name in names:
        assert Path("good", name).read_bytes() == Path("trailing", name).read_bytes()


def test_check_reads_the_data_and_shows_how_each_column_is_interpreted(case, capsys):
    case("39-booleans-with-gaps-two-files")
    assert main(["check", "config.yaml"]) == 0
    assert "distinct" not in capsys.readouterr().out
    assert main(["check", "--data", "config.yaml"]) == 0
    table = capsys.readouterr().out.splitlines()[-5:]
    assert table[0].split() == ["column", "type", "used", "as", "missing", "distinct", "example"]
    assert table[3].split() == ["y", "category", "target", "(classes)", "0", "2", "p"]
    assert table[4].startswith("flag    boolean   input ")
    assert not Path("data").exists()
    prepared(of_config())
    assert [column.kind for column in ColumnUse.read(Path("data/columns.csv"))] == ["number"] * 2 + [
        "category",
        "boolean",
    ]


def test_check_describes_the_data_of_a_source_without_files(capsys):
    assert main(["check", "--data", str(ROOT / "config" / "config.yaml")]) == 0
    assert "source digits: 1797 samples, 64 inputs, 10 classes" in capsys.readouterr().out


def test_check_refuses_what_the_data_step_would_refuse(case, capsys):
    case("09-thousands-become-levels")
    assert main(["check", "config.yaml"]) == 0
    capsys.readouterr()
    assert main(["check", "--data", "config.yaml"]) == 2
    assert "row 2, column 'pay': '1,222'" in capsys.readouterr().err


def test_an_input_that_numbers_the_samples_causes_a_warning(case):
    case("15-target-trailing-spaces")
    rows = pd.read_csv("rows.csv")
    rows.assign(visit=np.arange(90)[::-1] + 7).to_csv("rows.csv", index=False)
    messages = [warning.message for warning in prepare(of_config(), Path("data"))]
    assert (
        "column 'visit' numbers the samples from 7 to 96; if it only identifies them, list it in data.drop" in messages
    )

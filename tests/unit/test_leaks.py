"""Warnings about exact duplicates across parts and about columns that predict the target."""

import gzip
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gamtune.config.data_section import Data
from gamtune.data.leaks import find_leaks
from gamtune.data.prepare import prepare, read_rows
from gamtune.data.rows import Rows
from gamtune.data.split import Split, split_rows
from gamtune.results.data_warnings import DataWarnings

TITANIC = Path(__file__).parents[1] / "cases" / "58-leak" / "titanic.csv"
TABLES = Path(os.environ.get("GAMTUNE_DATA", "/nowhere")) / "tables"
needs_tables = pytest.mark.skipif(not TABLES.is_dir(), reason="needs the public tables: GAMTUNE_DATA")
PARTS = np.array(["train", "train", "train", "validation", "test"])


def leaks(**data):
    data = Data(**data)
    rows = read_rows(data)
    return find_leaks(rows, split_rows(data, rows))


def messages(path, target, **more):
    return [warning.message for warning in leaks(source="table", path=str(path), target=target, **more)]


def single_columns(features, target, classes=None, parts=None):
    """Return the columns that are reported to predict the target; by default for a split into fifths."""
    rows = Rows(pd.DataFrame(features), np.asarray(target), "y", classes)
    parts = np.resize(PARTS, len(rows.target)) if parts is None else parts
    found = find_leaks(rows, Split(parts))
    return {warning.details["column"] for warning in found if warning.kind == "single_column"}


def duplicates(features, target, parts, folds=None, groups=None):
    rows = Rows(pd.DataFrame(features), np.asarray(target), "y", ["a", "b"], groups=groups)
    found = find_leaks(rows, Split(np.array(parts), folds if folds is None else np.array(folds, np.int32)))
    return {(w.details["part"], w.details["where"]): w for w in found if w.kind == "duplicates"}


def test_a_column_that_encodes_the_target_is_reported(tmp_path):
    data = Data(source="table", path=str(TITANIC), target="survived")
    warnings = prepare(data, tmp_path)
    assert warnings[0].message == (
        "column 'alive' alone predicts 'survived' (accuracy 1.000 on 178 validation samples, 0.6180 without any "
        "column); if it is not known before the target, list it in data.drop"
    )
    assert DataWarnings.read(tmp_path / "warnings.json").warnings == warnings
    assert [warning.kind for warning in warnings] == ["single_column", *["duplicates"] * 3]
    assert not any("alive" in message for message in messages(TITANIC, "survived", drop=["alive"]))


@needs_tables
def test_a_third_of_the_wine_samples_have_duplicates_in_other_parts(tmp_path):
    wine = tmp_path / "wine.csv"
    wine.write_bytes(gzip.decompress((TABLES / "wine.csv.gz").read_bytes()))
    advice = "(all with the same target); declare data.group or remove the duplicates"
    assert messages(wine, "quality") == [
        f"282 of 1,299 test samples have an exact duplicate in the training part {advice}",
        f"294 of 1,299 validation samples have an exact duplicate in the training part {advice}",
        f"115 of 1,299 test samples have an exact duplicate in the validation part {advice}",
    ]
    assert messages(wine, "quality", validation={"folds": 5})[1] == (
        f"1,198 of 5,198 training samples have an exact duplicate in another fold {advice}"
    )


@needs_tables
@pytest.mark.parametrize(
    ("table", "target"),
    [("mpg", "mpg"), ("penguins", "species"), ("penguins", "island"), ("concrete", "strength"), ("titanic", "fare")],
)
@pytest.mark.parametrize("validation", [{}, {"folds": 5}])
def test_no_single_column_of_the_public_tables_is_reported(table, target, validation):
    found = leaks(source="table", path=str(TABLES / f"{table}.csv"), target=target, validation=validation)
    assert {warning.kind for warning in found} <= {"duplicates"}


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "diabetes"])
def test_good_predictors_are_not_reported(name):
    from sklearn import datasets

    frame = getattr(datasets, f"load_{name}")(as_frame=True).frame
    classes = None if name == "diabetes" else sorted(frame["target"].unique())
    for shift in range(5):
        parts = np.resize(np.roll(PARTS, shift), len(frame))
        assert single_columns(frame.drop(columns="target"), frame["target"], classes, parts) == set()


def test_duplicates_are_counted_by_part_with_the_agreement_of_their_targets():
    features = {"a": [1.0, 0.0, np.nan, 1.0, np.nan, 5.0], "b": ["x", "y", None, "x", None, "x"]}
    found = duplicates(features, [0, 0, 1, 0, 0, 1], ["train", "train", "train", "test", "test", "validation"])
    assert found.keys() == {("test", "the training part")}
    assert found["test", "the training part"].details == {
        "part": "test", "where": "the training part", "count": 2, "samples": 2, "same_target": 1,
    }  # fmt: skip
    assert "(1 with the same target); declare data.group" in found["test", "the training part"].message


def test_negative_zero_equals_zero_but_not_a_missing_value():
    parts = ["train", "train", "test", "test"]
    found = duplicates({"a": [0.0, 7.0, -0.0, np.nan]}, [0, 1, 1, 1], parts)
    assert found["test", "the training part"].details["count"] == 1
    assert "(none with the same target)" in found["test", "the training part"].message


def test_duplicates_across_folds_are_counted_and_those_within_a_fold_are_not():
    groups = pd.Series([*"ABCD"], name="site")
    parts = ["train"] * 4
    assert duplicates({"a": [1.0, 1.0, 2.0, 3.0]}, [0, 0, 1, 1], parts, [1, 1, 2, 2], groups) == {}
    found = duplicates({"a": [1.0, 2.0, 1.0, 3.0]}, [0, 0, 1, 1], parts, [1, 1, 2, 2], groups)
    assert found["training", "another fold"].details["count"] == 2
    assert found["training", "another fold"].message.endswith("; remove the duplicates"), "a group is declared already"


def test_arrays_of_whole_numbers_are_compared_like_others():
    pixels = pd.DataFrame(np.random.default_rng(1).integers(0, 255, (100, 64)).astype(np.uint8))
    pixels.iloc[99] = pixels.iloc[0]
    found = duplicates(pixels, np.resize([0, 1], 100), ["train"] * 90 + ["test"] * 10)
    assert found["test", "the training part"].details["count"] == 1


def test_codes_that_determine_the_class_are_reported():
    random = np.random.default_rng(1)
    target = random.integers(0, 3, 500)
    features = {
        "words": pd.Series(target).map({0: "no", 1: "yes", 2: None}),
        "numbers": np.where(target == 2, np.nan, 7.0 - target),
        "not ordered": np.choose(target, [5.0, 1.0, 9.0]) + random.normal(size=500) / 10,
        "one in ten wrong": np.where(random.random(500) < 0.1, 0.0, target),
        "noise": random.normal(size=500),
        "identifier": [f"id {number}" for number in range(500)],
        "number of the sample": np.arange(500.0),
    }
    assert single_columns(features, target, [0, 1, 2]) == {"words", "numbers", "not ordered"}


def test_sample_numbers_are_reported_if_samples_are_sorted_by_class():
    assert single_columns({"index": np.arange(300.0)}, np.repeat([0, 1, 2], 100), ["a", "b", "c"]) == {"index"}


def test_the_target_in_another_unit_is_reported_for_any_distribution():
    random = np.random.default_rng(1)
    price = np.exp(2 * random.normal(size=400))
    features = {
        "cents": np.round(price * 100),
        "falling": -np.log(price),
        "rough": price * np.exp(random.normal(size=400) / 2),
        "noise": random.normal(size=400),
        "identifier": [f"id {number}" for number in range(400)],
    }
    assert single_columns(features, price) == {"cents", "falling"}


def test_few_samples_or_one_frequent_class_cause_no_warning():
    rare = (np.arange(1000) % 250 == 3).astype(int)  # 4 samples, all of them in validation
    assert single_columns({"code": rare.astype(float)}, rare, ["a", "b"]) == set()
    assert single_columns({"code": np.arange(20) % 2.0}, np.arange(20) % 2, ["a", "b"]) == set()


def test_a_code_of_the_group_is_not_reported_if_groups_are_not_split():
    group = np.repeat(np.arange(40), 10)
    target = group * 7919 % 40 % 2
    parts = np.repeat(np.resize(PARTS, 40), 10)
    level = [f"patient {number}" for number in group]
    assert single_columns({"patient": level}, target, ["a", "b"], parts) == set()
    assert single_columns({"patient": level}, target, ["a", "b"], np.resize(PARTS, 400)) == {"patient"}


def test_many_leaking_columns_cause_five_warnings_and_a_list():
    target = np.resize([0, 1], 200)
    rows = Rows(pd.DataFrame({f"copy {n}": target * 1.0 for n in range(12)}), target, "y", ["a", "b"])
    found = [w.message for w in find_leaks(rows, Split(np.resize(PARTS, 200))) if w.kind == "single_column"]
    assert len(found) == 6
    assert found[-1].startswith("7 more columns each predict 'y' nearly perfectly: 'copy 5', 'copy 6'")


def test_the_checks_take_less_than_a_second_on_a_large_table():
    random = np.random.default_rng(1)
    rows = Rows(pd.DataFrame(random.normal(size=(100_000, 50))), random.integers(0, 2, 100_000), "y", ["a", "b"])
    began = time.process_time()
    assert find_leaks(rows, Split(np.resize(PARTS, 100_000))) == []
    assert time.process_time() - began < 1

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris

from gamtune.config.errors import ConfigError
from gamtune.config.study import Data
from gamtune.data.arrays import Prepared
from gamtune.data.prepare import prepare


@pytest.fixture
def iris(tmp_path):
    frame = load_iris(as_frame=True).frame.rename(columns=lambda name: name.replace(" (cm)", "").replace(" ", "_"))
    frame["species"] = frame.pop("target").map(dict(enumerate(["setosa", "versicolor", "virginica"])))
    frame["always_1"] = 1
    file = tmp_path / "iris.csv"
    frame.to_csv(file, index=False)
    return file


def table(file, **more):
    return Data(source="table", path=str(file), target="species", **more)


def test_the_parts_hold_every_row_once_and_every_class_in_proportion(digits):
    data = Prepared.open(digits)
    parts = {name: data.part(name) for name in ("train", "validation", "test")}
    assert sum(len(part.y) for part in parts.values()) == 1797
    assert [len(parts[name].y) for name in parts] == [1079, 359, 359]
    for part in parts.values():
        assert np.bincount(part.y).min() / len(part.y) > 0.09
    split = pd.read_csv(digits.parent / "split.csv")
    assert (split.groupby("part").size()["train"], len(split)) == (1079, 1797)


def test_inputs_are_standardised_with_the_training_rows_statistics(digits):
    train = Prepared.open(digits).part("train").x
    assert np.abs(train.mean(axis=0)).max() < 1e-5
    assert np.abs(train.std(axis=0, ddof=1) - 1).max() < 1e-4
    validation = Prepared.open(digits).part("validation").x
    assert np.abs(validation.mean(axis=0)).max() > 0.01


def test_the_same_seed_gives_the_same_split_and_another_seed_another(tmp_path, digits):
    prepare(Data(source="digits"), tmp_path / "again")
    prepare(Data(source="digits", seed=2), tmp_path / "other")
    first, again, other = (
        Prepared.open(f / "digest.json") for f in (digits.parent, tmp_path / "again", tmp_path / "other")
    )
    assert first.digest == again.digest != other.digest


def test_a_csv_and_a_parquet_file_of_the_same_rows_are_the_same_data(tmp_path, iris):
    frame = pd.read_csv(iris)
    frame.to_parquet(tmp_path / "iris.parquet")
    prepare(table(iris), tmp_path / "csv")
    prepare(table(tmp_path / "iris.parquet"), tmp_path / "parquet")
    assert Prepared.open(tmp_path / "csv/digest.json").digest == Prepared.open(tmp_path / "parquet/digest.json").digest


def test_preprocessing_says_how_raw_columns_become_inputs(tmp_path, iris):
    prepare(table(iris, drop=["petal_width"]), tmp_path / "data")
    said = json.loads((tmp_path / "data/preprocessing.json").read_text())
    assert said["features"] == ["sepal_length", "sepal_width", "petal_length"]
    assert said["constant"] == ["always_1"]
    assert said["classes"] == ["setosa", "versicolor", "virginica"]
    split = pd.read_csv(tmp_path / "data/split.csv")
    raw = pd.read_csv(iris)[said["features"]][(split["part"] == "test").to_numpy()]
    expected = (raw - said["mean"]) / said["sd"]
    assert Prepared.open(tmp_path / "data/digest.json").part("test").x == pytest.approx(expected.to_numpy(), abs=1e-6)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda f: f.assign(sepal_width=f["sepal_width"].astype(object).where(f.index != 117, "n/a")),
         "row 118, column 'sepal_width': 'n/a' is not a finite number; correct it or list the column in data.drop"),
        (lambda f: f.assign(sepal_width=f["sepal_width"].where(f.index != 3)), "row 4, column 'sepal_width': the cell is empty"),
        (lambda f: f.assign(sepal_width=f["sepal_width"].where(f.index != 0, np.inf)), "row 1, column 'sepal_width': 'inf' is"),
        (lambda f: f.assign(species=f["species"].where(f.index != 5)), "row 6, column 'species': the class is missing"),
        (lambda f: f.assign(species="setosa"), "column 'species' holds one class only"),
        (lambda f: f.assign(species=f["sepal_width"]), "distinct numbers, expected classes"),
        (lambda f: f.iloc[:0], "no rows"),
        (lambda f: f.iloc[:51], "class 'versicolor' has 1 of the 51 rows, expected at least 3"),
        (lambda f: f[["species"]], "no column is left to learn from"),
        (lambda f: f[["species", "always_1"]], "every feature is constant"),
    ],
)  # fmt: skip
def test_unusable_rows_are_one_line_and_leave_nothing_behind(tmp_path, iris, edit, message):
    edit(pd.read_csv(iris)).to_csv(iris, index=False)
    with pytest.raises(ConfigError) as caught:
        prepare(table(iris), tmp_path / "data")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "data").exists()

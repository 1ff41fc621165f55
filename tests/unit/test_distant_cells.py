"""Cells that cannot be standardised in single precision are reported with their position before files are written."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from gamtune.config.data_section import Data
from gamtune.data.prepare import prepare, prepare_refit
from gamtune.data.preprocessing import Preprocessing
from gamtune.data.raw_cells import raw_features
from gamtune.errors import InputError

CASE = Path(__file__).parents[1] / "cases" / "47-standardised-overflow"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def rows():
    generator = np.random.default_rng(5)
    return pd.DataFrame(generator.normal(size=(60, 3)), columns=["a", "b", "y"])


def refusal(rows, step=prepare, **data):
    rows.to_csv("rows.csv", index=False)
    with pytest.raises(InputError) as error:
        step(Data(source="table", path="rows.csv", target="y", **data), Path("out"))
    assert not Path("out").exists()
    assert len(error.value.lines) == 1
    return error.value.lines[0]


def test_an_overflowing_test_cell_is_reported():
    rows, config = pd.read_csv(CASE / "rows.csv"), yaml.safe_load((CASE / "config.yaml").read_text())
    rows.to_csv("rows.csv", index=False)
    with pytest.raises(InputError, match=r"rows\.csv: row 90, column 'a': 1e\+37 is .* standard deviations"):
        prepare(Data.model_validate(config["data"]), Path("out"))
    assert not Path("out").exists()


@pytest.mark.parametrize("step", [prepare, prepare_refit])
def test_an_overflowing_cell_of_any_part_is_reported(rows, step):
    rows["a"] *= 1e-30
    rows["part"] = ["train"] * 40 + ["validation"] * 10 + ["test"] * 10
    rows.loc[57, "a"] = 1e30
    parts = {"validation": {"column": "part"}, "test": {"column": "part"}}
    assert refusal(rows, step, **parts).startswith("rows.csv: row 58, column 'a': 1e+30 is ")


def test_an_overflowing_cell_of_one_fold_is_reported(rows):
    rows["a"] = np.where(rows.index == 7, 1e20, rows["a"] * 1e-3)
    assert "rows.csv: row 8, column 'a': 1e+20 is " in refusal(rows, validation={"folds": 3}, test={"fraction": 0.1})


def test_an_overflowing_target_is_reported(rows):
    rows["part"] = ["train"] * 40 + ["validation"] * 10 + ["test"] * 10
    rows.loc[45, "y"] = -3e30
    message = refusal(rows, validation={"column": "part"}, test={"column": "part"})
    assert message.startswith("rows.csv: row 46, column 'y': -3e+30 is ")


@pytest.mark.parametrize("column", ["a", "y"])
@pytest.mark.parametrize("unit", [1e-200, 1e-308, 1e-315])
def test_a_column_whose_standard_deviation_underflows_is_reported(rows, column, unit):
    rows[column] *= unit
    assert f"column '{column}'" in (message := refusal(rows))
    assert message.startswith("rows.csv: row ")
    assert message.endswith("; use a larger unit")


@pytest.mark.parametrize("unit", [1e-140, 1e-25, 1e30])
def test_columns_in_small_and_large_units_are_standardised(rows, unit):
    arrays = []
    for factor in (1.0, unit):
        rows.assign(a=rows["a"] * factor).to_csv("rows.csv", index=False)
        prepare(Data(source="table", path="rows.csv", target="y"), Path("out"))
        arrays.append(np.load("out/x_test.npy"))
    assert np.allclose(*arrays, rtol=1e-6)


def test_a_prediction_for_a_cell_that_overflows_is_refused(rows):
    rows.to_csv("rows.csv", index=False)
    prepare(Data(source="table", path="rows.csv", target="y"), Path("out"))
    preprocessing = Preprocessing.read(Path("out/preprocessing.json"))
    for cell in (3e37, 1e300, np.inf):
        with pytest.raises(InputError, match=r"row 2, column 'b': "):
            raw_features(preprocessing, pd.DataFrame({"a": [0.1, 0.2], "b": [0.1, cell]}))

"""Predictions of an exported model for raw samples: conversion of cells, unknown levels and damaged files."""

import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from raw_models import ROWS, WIDE, write_model

from gamtune.cli.main import main
from gamtune.config.data_section import Data
from gamtune.data.prepare import prepare
from gamtune.data.raw_cells import raw_numbers
from gamtune.errors import DamagedError, InputError
from gamtune.serving.predict import predict_file

pytestmark = pytest.mark.slow


CASES = Path(__file__).parents[1] / "cases"


@pytest.mark.parametrize(
    "cells",
    [
        [True, False, None],
        ["True", "False", None],
        ["TRUE", "false", "?"],
        pd.array([True, False, None], "boolean"),
        pd.Categorical([True, False, None]),
        [1, 0, None],
        ["1", "0.0", " "],
        [Decimal(1), Decimal(0), None],
    ],
)
def test_booleans_are_0_and_1_in_every_format(cells):
    np.testing.assert_array_equal(raw_numbers(pd.Series(cells, name="a"), ["?"]), [1, 0, np.nan])


@pytest.mark.parametrize("cells", [["1", "True"], ["yes", "no"], [1j, 2], [b"1", b"2"], pd.to_timedelta([1, 2])])
def test_a_cell_that_is_not_a_number_is_an_error(cells):
    with pytest.raises(InputError, match="is not a finite number"):
        raw_numbers(pd.Series(cells, name="a"))


@pytest.fixture
def exported(tmp_path):
    """Return an exported model, and a file of samples for it."""
    file = tmp_path / "rows.csv"
    file.write_text(ROWS)
    return write_model(tmp_path / "optimum", WIDE), file


def test_unseen_levels_are_reported_by_column_and_are_errors_with_strict(exported):
    model, file = exported
    known, warnings = predict_file(model, file)
    assert warnings == []
    file.write_text(ROWS.replace("female", "Female").replace("0100", "0300") + "1,1,True,9,Female\n1,1,True,,\n")
    predicted, warnings = predict_file(model, file)
    assert warnings == [
        f"{file}: column 'code': 3 samples have a level that is not in the training data and counts as missing: "
        "'0300' (2), '9' (1)",
        f"{file}: column 'kind': 2 samples have a level that is not in the training data and counts as missing: "
        "'Female' (2; did you mean 'female'?)",
    ]
    assert len(predicted.splitlines()) == 6 != len(known.splitlines())
    with pytest.raises(InputError) as caught:
        predict_file(model, file, strict=True)
    assert str(caught.value).splitlines() == warnings


def test_a_level_in_another_spelling_is_reported_with_the_known_one(tmp_path, capsys):
    titanic, rows = CASES / "58-leak/titanic.csv", CASES / "54-predict-unseen-level/new.csv"
    prepare(Data(source="table", path=str(titanic), target="survived", drop=["alive"]), tmp_path)
    preprocessing = json.loads((tmp_path / "preprocessing.json").read_text())
    model = write_model(tmp_path / "optimum", preprocessing)
    warning = (
        f"{rows}: column 'sex': 6 samples have a level that is not in the training data and counts as missing: "
        "'Male' (3; did you mean 'male'?), 'Female' (3; did you mean 'female'?)\n"
    )
    assert main(["predict", str(model), str(rows)]) == 0
    printed = capsys.readouterr()
    assert (printed.err, len(printed.out.splitlines())) == (f"warning: {warning}", 7)
    assert main(["predict", str(model), str(rows), "--strict"]) == 2
    assert capsys.readouterr() == ("", warning)


def test_a_warning_lists_five_unseen_levels_and_the_number_of_the_others(exported):
    model, file = exported
    file.write_text("size,count,smoker,code,kind\n" + "".join(f"1,1,True,{n + 5000},male\n" for n in range(40)))
    [warning] = predict_file(model, file)[1]
    assert warning.endswith("'5000' (1), '5001' (1), '5002' (1), '5003' (1), '5004' (1), 35 more levels")


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("model.keras", lambda text: text[:-100], "damaged: it is not a complete Keras model"),
        ("model.keras", lambda text: text[:3000] + b"flipped" + text[3007:], "damaged: "),
        ("model.keras", lambda text: b"", "damaged: it is not a complete Keras model"),
        ("preprocessing.json", lambda text: text[:-100], "damaged: it is not valid JSON"),
        ("preprocessing.json", lambda text: b"[]", "damaged: it is not a JSON object"),
        ("preprocessing.json", lambda text: text.replace(b'"mean"', b'"man"'), "damaged: it does not contain"),
        ("preprocessing.json", lambda text: text.replace(b"[1.0, 2.0, ", b"[1.0, "), "damaged: "),
        ("preprocessing.json", lambda text: text.replace(b"[1.0, 2.0, ", b'["a", 2.0, '), "damaged: "),
        ("preprocessing.json", lambda text: text.replace(b'["no", "yes"]', b'["no", "yes", "so"]'), "other data"),
        ("model.keras", None, "no such file"),
        ("preprocessing.json", None, "no such file"),
    ],
)
def test_a_damaged_or_missing_file_of_a_model_is_reported_in_one_line(exported, name, change, message):
    model, file = exported
    path = model.with_name(name)
    content = path.read_bytes()
    path.unlink()
    if change is not None:
        assert change(content) != content
        path.write_bytes(change(content))
    with pytest.raises(InputError) as caught:
        predict_file(model, file)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(model.parent) in str(caught.value)


def test_a_model_with_code_or_with_other_inputs_is_an_error(exported):
    import keras

    model, file = exported
    code = keras.Sequential([keras.Input([6]), keras.layers.Lambda(lambda x: x[:, :2])])
    code.save(model)
    with pytest.raises(DamagedError, match=r"Keras cannot load it: .*Lambda"):
        predict_file(model, file)
    keras.Sequential([keras.Input([8, 8, 1]), keras.layers.Flatten(), keras.layers.Dense(2)]).save(model)
    with pytest.raises(DamagedError, match="expected 6 inputs and 2 outputs: it belongs to other data"):
        predict_file(model, file)

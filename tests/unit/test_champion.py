"""The registered model: what is deleted by hand comes back, and raw data frames of any type are accepted."""

import json
import os
import shutil
import subprocess
import sys
from decimal import Decimal
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from tracked import PREPROCESSING, start_python

from gamtune.cli.main import main
from gamtune.config.data_section import Data
from gamtune.data.prepare import prepare
from gamtune.data.raw_cells import raw_numbers
from gamtune.errors import DamagedError, InputError
from gamtune.serving.predict import predict_file
from gamtune.tracking.sync import sync

pytestmark = pytest.mark.slow

SYNC = """
import os, sys
from pathlib import Path
os.chdir(sys.argv[1])
from gamtune.tracking.study import TrackedStudy
from gamtune.tracking.sync import sync
print(sync(TrackedStudy("digits", sys.argv[2], Path(sys.argv[3]))), file=sys.stderr)
"""
CASES = Path(__file__).parents[1] / "cases"
# Columns as a CSV file holds them: a number, whole numbers, truth values, codes with leading zeros, words
WIDE = PREPROCESSING | {
    "columns": ["size", "count", "smoker", "code", "kind"],
    "levels": {"smoker": ["False", "True"], "code": ["0100", "2000"], "kind": ["male", "female"]},
    "features": ["size", "count", "smoker=True", "code=0100", "code=2000", "kind=male"],
    "mean": [1.0, 2.0, 0.0, 0.0, 0.0, 0.0],
    "sd": [2.0, 1.5, 1.0, 1.0, 1.0, 1.0],
    "missing": ["", "?"],
}
ROWS = """size,count,smoker,code,kind
2.5,3,True,0100,male
-1,0,False,2000,female
,7,True,0100,male
"""


@pytest.fixture
def registered(study):
    """A study whose champion is registered."""
    study.write_trials(1)
    study.write_record("a" * 12, "optimum")
    study.write_optimum(1)
    assert sync(study.tracked).champion.version == "1"
    return study


@pytest.fixture
def client(registered):
    return MlflowClient(registered.uri)


def write_model(folder, preprocessing, seed=1):
    """A network that fits a preprocessing, beside it."""
    import keras

    folder.mkdir(exist_ok=True)
    keras.utils.set_random_seed(seed)
    outputs = len(preprocessing["classes"])
    model = keras.Sequential(
        [keras.Input([len(preprocessing["features"])]), keras.layers.Dense(outputs, activation="softmax")]
    )
    model.save(folder / "model.keras")
    (folder / "preprocessing.json").write_text(json.dumps(preprocessing))
    return folder / "model.keras"


def champion(study):
    import mlflow

    mlflow.set_tracking_uri(study.uri)
    return mlflow.pyfunc.load_model("models:/digits@champion")


def delete_in_the_ui(client, what, version):
    model_id = client.get_model_version("digits", version).source.removeprefix("models:/")
    experiment_id = client.get_experiment_by_name("digits").experiment_id
    {
        "alias": lambda: client.delete_registered_model_alias("digits", "champion"),
        "version": lambda: client.delete_model_version("digits", version),
        "registered model": lambda: client.delete_registered_model("digits"),
        "logged model": lambda: client.delete_logged_model(model_id),
        "experiment": lambda: client.delete_experiment(experiment_id),
        "name": lambda: client.rename_registered_model("digits", "other"),
    }[what]()


def test_what_is_deleted_in_the_ui_is_registered_again(registered, client):
    version = "1"
    for what in ("alias", "version", "registered model", "logged model", "experiment", "name"):
        delete_in_the_ui(client, what, version)
        found = sync(registered.tracked).champion
        version = found.version
        assert str(client.get_model_version_by_alias("digits", "champion").version) == version, what
        assert client.get_experiment_by_name("digits").lifecycle_stage == "active", what
        assert sync(registered.tracked).champion == found, f"{what}: nothing more to do"
    rows = pd.DataFrame({"size": [2.0], "kind": ["b"]})
    assert champion(registered).predict(rows)["predicted"].isin(["no", "yes"]).all()


def test_the_champion_brings_all_the_code_that_it_imports(registered, tmp_path):
    [served] = (registered.results / "mlartifacts/digits/models").glob("*/artifacts/served.py")
    code = f"import sys; sys.path[:0] = [{str(served.parent / 'code')!r}]; exec(open({str(served)!r}).read())"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-c", f"{code}; import gamtune; print(gamtune.__path__)"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert str(served.parent) in done.stdout


def test_a_champion_whose_files_are_gone_is_registered_again(registered):
    shutil.rmtree(registered.results / "mlartifacts/digits/models")
    assert sync(registered.tracked).champion.version == "2"
    champion(registered)


def test_a_new_process_registers_a_deleted_model_again_and_makes_no_other_database(registered, client, tmp_path):
    client.delete_registered_model("digits")
    here = tmp_path / "here"
    here.mkdir()
    done = start_python(SYNC, here, registered.uri, registered.results)
    assert "digits@champion is version 1" in done.communicate()[1]
    assert list(here.iterdir()) == []


def test_a_damaged_network_is_not_registered(registered):
    network = registered.folder / "optimum/model.keras"
    content = network.read_bytes()
    half = len(content) // 2
    shutil.make_archive(str(registered.folder / "foreign"), "zip", registered.folder, "table.csv")
    for damaged in (
        content[:-100],
        content[:half] + bytes([content[half] ^ 0xFF]) + content[half + 1 :],
        b"",
        b"weights",
        (registered.folder / "foreign.zip").read_bytes(),
    ):
        network.write_bytes(damaged)
        with pytest.raises(DamagedError, match=r"model\.keras: damaged: "):
            sync(registered.tracked)


def test_raw_data_frames_of_any_type_give_the_predictions_of_the_command_line(study, tmp_path):
    study.write_trials(1)
    study.write_record("a" * 12, "optimum")
    model = write_model(study.folder / "optimum", WIDE)
    sync(study.tracked)
    file = tmp_path / "rows.csv"
    file.write_text(ROWS)
    expected = pd.read_csv(StringIO(predict_file(model, file)[0]))
    raw = pd.read_csv(file)
    assert (raw["count"].dtype, raw["smoker"].dtype, raw["code"].dtype) == (np.int64, bool, np.int64)
    text = pd.read_csv(file, dtype=str)
    frames = {
        "as pandas reads it": raw,
        "nullable": raw.convert_dtypes(),
        "categories": raw.astype({"kind": "category", "smoker": "category", "code": "category", "count": "category"}),
        "objects": raw.astype(object),
        "text": text,
        "small": raw.astype({"count": np.int8, "size": np.float32}),
        "missing word": text.fillna({"size": "?"}),
        "other columns and order": raw.assign(more=1)[["kind", "code", "more", "smoker", "count", "size"]],
        "another index": raw.set_index(pd.Index([7, 5, 3])),
    }
    loaded = champion(study)
    for name, frame in frames.items():
        pd.testing.assert_frame_equal(loaded.predict(frame), expected, check_dtype=False, obj=name)
    assert loaded.metadata.signature.inputs.input_names() == WIDE["columns"]
    logged = study.query("SELECT param_value FROM logged_model_params WHERE param_key = 'inputs'")
    assert logged == [("size: number; count: number; smoker: False, True; code: 0100, 2000; kind: male, female",)]


def ask(model, content, kind="application/json"):
    """The predictions that MLflow's server answers with, without a server."""
    from mlflow.pyfunc.scoring_server import invocations

    if kind == "application/json":
        content = json.dumps(content)
    answer = invocations(content, kind, model, model.metadata.get_input_schema())
    return pd.DataFrame(json.loads(answer.response)["predictions"])


def test_the_server_gives_the_same_predictions_for_json_and_parquet(study, tmp_path):
    study.write_trials(1)
    study.write_record("a" * 12, "optimum")
    model = write_model(study.folder / "optimum", WIDE)
    sync(study.tracked)
    file = tmp_path / "rows.csv"
    file.write_text(ROWS)
    expected = pd.read_csv(StringIO(predict_file(model, file)[0]))
    loaded = champion(study)
    records = json.loads(pd.read_csv(file).to_json(orient="records"))
    split = {"columns": WIDE["columns"], "data": [list(record.values()) for record in records]}
    strings = json.loads(pd.read_csv(file, dtype=str).to_json(orient="records"))
    lists = {name: [record[name] for record in records] for name in WIDE["columns"]}
    for content in (
        {"dataframe_records": records},
        {"dataframe_split": split},
        {"dataframe_records": strings},
        {"inputs": lists},
        {"instances": records},
    ):
        pd.testing.assert_frame_equal(ask(loaded, content), expected, check_dtype=False)
    parquet = pd.read_csv(file).to_parquet()
    pd.testing.assert_frame_equal(ask(loaded, parquet, "application/vnd.apache.parquet"), expected, check_dtype=False)
    with pytest.raises(MlflowException) as caught:  # MLflow's reader of CSV needs one type per column
        ask(loaded, ROWS, "text/csv")
    assert caught.value.get_http_status_code() == 400
    with pytest.raises(MlflowException, match=r"missing inputs \['size'\]"):
        ask(loaded, {"dataframe_records": [{"count": 1, "smoker": True, "code": "0100", "kind": "male"}]})
    with pytest.raises(MlflowException, match="column count to type 'float64'") as caught:
        ask(loaded, {"dataframe_records": [records[0] | {"count": "many"}]})
    assert caught.value.get_http_status_code() == 400
    with pytest.raises(MlflowException) as caught:
        ask(loaded, {"inputs": split["data"]})
    assert caught.value.get_http_status_code() == 400


def test_a_table_as_pandas_reads_it_gives_the_predictions_of_the_command_line(study, tmp_path):
    rows = CASES / "36-champion-raw-integers/rows.csv"
    prepare(Data(source="table", path=str(rows), target="y", categorical=["code"]), tmp_path)
    study.write_trials(1)
    study.write_record("a" * 12, "optimum")
    model = write_model(study.folder / "optimum", json.loads((tmp_path / "preprocessing.json").read_text()))
    sync(study.tracked)
    expected = pd.read_csv(StringIO(predict_file(model, rows)[0]))
    raw = pd.read_csv(rows)
    assert {kind.kind for kind in raw[["count", "smoker", "code"]].dtypes} == {"i", "b"}
    pd.testing.assert_frame_equal(champion(study).predict(raw), expected, check_dtype=False)


def test_the_champion_names_a_cell_that_is_no_number(registered):
    loaded = champion(registered)
    for cells, message in (
        (["dark", "1"], "column size to type 'float64': row 1, column 'size': 'dark' is not a finite number"),
        ([1.0, np.inf], "row 2, column 'size': 'inf' is not a finite number"),
        (pd.to_datetime(["2020-01-01", "2020-01-02"]), "'2020-01-01 00:00:00' is not a finite number"),
        ([[1], [2]], "'[1]' is not a finite number"),
    ):
        with pytest.raises(MlflowException) as caught:
            loaded.predict(pd.DataFrame({"size": cells, "kind": ["a", "b"]}))
        assert message in str(caught.value)


def test_the_champion_warns_about_levels_that_it_does_not_know(registered, caplog):
    champion(registered).predict(pd.DataFrame({"size": [1.0, 2.0], "kind": ["A", "b"]}))
    [warning] = [record.getMessage() for record in caplog.records if "kind" in record.getMessage()]
    assert warning == (
        "column 'kind': 1 sample has a level that is not in the training data and counts as missing: "
        "'A' (1; did you mean 'a'?)"
    )


def test_data_with_20_000_columns_are_tracked_and_its_champion_predicts(study):
    names = [f"column_{number}" for number in range(20_000)]
    features = ["column_0", "column_19999"]
    wide = PREPROCESSING | {"columns": names, "levels": {}, "features": features, "mean": [0.0] * 2, "sd": [1.0] * 2}
    study.write_trials(1)
    study.write_record("a" * 12, "optimum")
    study.write_data()
    (study.folder / "data/preprocessing.json").write_text(json.dumps(wide))
    write_model(study.folder / "optimum", wide)
    assert sync(study.tracked).champion.version == "1"
    [used] = study.runs()[f"trial/{study.trials[0]}"].inputs.dataset_inputs
    columns = [column["name"] for column in json.loads(used.dataset.schema)["mlflow_colspec"]]
    kept = len(columns) - 2
    assert columns[:kept] == names[:kept]
    assert columns[kept:] == ["y", f"({20_001 - kept:,} more columns)"]
    assert kept > 900
    rows = pd.DataFrame(np.zeros((2, 20_000), int), columns=names)
    assert len(champion(study).predict(rows)) == 2


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
def test_truth_values_are_0_and_1_however_they_are_stored(cells):
    np.testing.assert_array_equal(raw_numbers(pd.Series(cells, name="a"), ["?"]), [1, 0, np.nan])


@pytest.mark.parametrize("cells", [["1", "True"], ["yes", "no"], [1j, 2], [b"1", b"2"], pd.to_timedelta([1, 2])])
def test_what_is_no_number_is_refused(cells):
    with pytest.raises(InputError, match="is not a finite number"):
        raw_numbers(pd.Series(cells, name="a"))


@pytest.fixture
def exported(tmp_path):
    """An exported model, and a file of samples for it."""
    file = tmp_path / "rows.csv"
    file.write_text(ROWS)
    return write_model(tmp_path / "optimum", WIDE), file


def test_unseen_levels_are_reported_by_column_and_refused_with_strict(exported):
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


def test_many_unseen_levels_are_five_and_a_count(exported):
    model, file = exported
    file.write_text("size,count,smoker,code,kind\n" + "".join(f"1,1,True,{n + 5000},male\n" for n in range(40)))
    [warning] = predict_file(model, file)[1]
    assert warning.endswith("'5000' (1), '5001' (1), '5002' (1), '5003' (1), '5004' (1), 35 more levels")


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("model.keras", lambda text: text[:-100], "damaged: it is not a whole Keras model"),
        ("model.keras", lambda text: text[:3000] + b"flipped" + text[3007:], "damaged: "),
        ("model.keras", lambda text: b"", "damaged: it is not a whole Keras model"),
        ("preprocessing.json", lambda text: text[:-100], "damaged: it is not valid JSON"),
        ("preprocessing.json", lambda text: b"[]", "damaged: it is not a JSON object"),
        ("preprocessing.json", lambda text: text.replace(b'"mean"', b'"man"'), "damaged: it does not describe"),
        ("preprocessing.json", lambda text: text.replace(b"[1.0, 2.0, ", b"[1.0, "), "damaged: "),
        ("preprocessing.json", lambda text: text.replace(b"[1.0, 2.0, ", b'["a", 2.0, '), "damaged: "),
        ("preprocessing.json", lambda text: text.replace(b'["no", "yes"]', b'["no", "yes", "so"]'), "other data"),
        ("model.keras", None, "no such file"),
        ("preprocessing.json", None, "no such file"),
    ],
)
def test_a_damaged_or_missing_file_of_a_model_is_one_line(exported, name, change, message):
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


def test_a_model_with_hidden_code_or_of_another_kind_is_refused(exported):
    import keras

    model, file = exported
    code = keras.Sequential([keras.Input([6]), keras.layers.Lambda(lambda x: x[:, :2])])
    code.save(model)
    with pytest.raises(DamagedError, match=r"Keras cannot load it: .*Lambda"):
        predict_file(model, file)
    keras.Sequential([keras.Input([8, 8, 1]), keras.layers.Flatten(), keras.layers.Dense(2)]).save(model)
    with pytest.raises(DamagedError, match="expected 6 inputs and 2 outputs: it belongs to other data"):
        predict_file(model, file)

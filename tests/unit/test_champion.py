"""The registered model: a sync restores deleted parts, and raw data frames of any type are accepted."""

import json
import os
import shutil
import subprocess
import sys
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from raw_models import ROWS, WIDE, write_model
from tracked import PREPROCESSING, start_python

from gamtune.config.data_section import Data
from gamtune.data.prepare import prepare
from gamtune.errors import DamagedError
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


@pytest.fixture
def registered(study):
    """Return a study whose champion is registered."""
    study.write_trials(1)
    study.write_record("a" * 12, "optimum")
    study.write_optimum(1)
    assert sync(study.tracked).champion.version == "1"
    return study


@pytest.fixture
def client(registered):
    return MlflowClient(registered.uri)


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


def test_parts_deleted_in_the_ui_are_registered_again(registered, client):
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


def test_the_champion_contains_all_code_that_it_imports(registered, tmp_path):
    [served] = (registered.results / "mlartifacts/digits/models").glob("*/artifacts/served.py")
    code = f"import sys; sys.path[:0] = [{str(served.parent / 'code')!r}]; exec(open({str(served)!r}).read())"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-c", f"{code}; import gamtune; print(gamtune.__path__)"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert str(served.parent) in done.stdout


def test_a_champion_whose_files_were_deleted_is_registered_again(registered):
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


def request(model, content, kind="application/json"):
    """Return the response of MLflow's scoring server, without starting a server."""
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
        pd.testing.assert_frame_equal(request(loaded, content), expected, check_dtype=False)
    parquet = pd.read_csv(file).to_parquet()
    pd.testing.assert_frame_equal(
        request(loaded, parquet, "application/vnd.apache.parquet"), expected, check_dtype=False
    )
    with pytest.raises(MlflowException) as caught:  # MLflow's reader of CSV needs one type per column
        request(loaded, ROWS, "text/csv")
    assert caught.value.get_http_status_code() == 400
    with pytest.raises(MlflowException, match=r"missing inputs \['size'\]"):
        request(loaded, {"dataframe_records": [{"count": 1, "smoker": True, "code": "0100", "kind": "male"}]})
    with pytest.raises(MlflowException, match="column count to type 'float64'") as caught:
        request(loaded, {"dataframe_records": [records[0] | {"count": "many"}]})
    assert caught.value.get_http_status_code() == 400
    with pytest.raises(MlflowException) as caught:
        request(loaded, {"inputs": split["data"]})
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


def test_the_champion_reports_a_cell_that_is_not_a_number(registered):
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


def test_the_champion_warns_about_levels_that_are_not_in_the_training_data(registered, caplog):
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

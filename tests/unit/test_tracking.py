import json
import os
import shutil
import signal
import subprocess
import time
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from urllib.parse import unquote, urlparse

import numpy as np
import pandas as pd
import pytest
from servers import free_port
from tracked import (
    STARTED,
    SYNC,
    SYNC_TOGETHER,
    Study,
    start_follower,
    start_python,
    study_runs,
    wait_until,
)

from gamtune.config.settings import make_spec
from gamtune.errors import DamagedError
from gamtune.files import write_text
from gamtune.results.selection import Compared, Selection
from gamtune.results.slots_file import FilledSlot, write_slots
from gamtune.results.step_summaries import Counts
from gamtune.tracking.address import TrackingError
from gamtune.tracking.records import read_study
from gamtune.tracking.run_content import record_content
from gamtune.tracking.runs import create_run
from gamtune.tracking.study import TrackedStudy
from gamtune.tracking.sync import sync

pytestmark = pytest.mark.slow


def test_syncing_twice_leaves_one_finished_run_per_trial(study):
    study.write_trials(4)
    assert study.sync() == Counts(added=4 + 1)  # the additional run is that of the study
    assert study.sync() == Counts(unchanged=4 + 1)
    assert study.runs().keys() == {f"trial/{trial}" for trial in study.trials}
    assert study.statuses() == {"FINISHED"}


def test_a_changed_record_replaces_its_run(study):
    study.write_trials(2)
    study.sync()
    changed = study.trials[0]
    (study.folder / f"trials/{changed}/record.json").unlink()
    study.write_record(changed, metrics={"validation": {"mse": 0.01}})
    assert study.sync() == Counts(added=1, unchanged=2, retired=1)
    assert len(study.runs()) == 2
    assert study.runs()[f"trial/{changed}"].data.metrics["validation_mse"] == 0.01


def test_a_run_is_kept_while_its_record_or_the_table_is_missing(study):
    study.write_trials(2)
    study.sync()
    (study.folder / f"trials/{study.trials[0]}/record.json").unlink()
    assert study.sync().retired == 0
    (study.folder / "table.csv").unlink()
    study.sync()
    assert len(study.runs()) == 2


def test_the_run_of_a_trial_that_left_the_table_is_deleted(study):
    study.write_trials(3)
    study.sync()
    kept = study.trials[1:]
    study.write_table(kept)
    study.sync()
    runs = study.runs()
    assert runs.keys() == {f"trial/{trial}" for trial in kept}
    assert {run.info.run_name for run in runs.values()} == {"t0000", "t0001"}, "the names are those of the table"


def test_a_failed_record_is_a_failed_run_with_its_reason(study):
    study.write_trials(1)
    study.write_record(study.trials[0], status="failed", reason="loss is nan in epoch 3", metrics=None, history={})
    study.sync()
    run = study.runs()[f"trial/{study.trials[0]}"]
    assert run.info.status == "FAILED"
    assert run.data.tags["gamtune.reason"] == "loss is nan in epoch 3"


def test_skipped_and_damaged_records_have_no_run_and_the_others_are_synced(study, caplog):
    study.write_trials(3)
    (study.folder / f"trials/{study.trials[0]}/record.json").write_text('{"status": "skipped"}')
    (study.folder / f"trials/{study.trials[1]}/record.json").write_text('{"status": "o')
    study.sync()
    assert study.runs().keys() == {f"trial/{study.trials[2]}"}
    [warning] = caplog.messages
    assert f"{study.trials[1]}/record.json: not tracked" in warning


def test_the_next_sync_completes_the_run_of_a_killed_sync(study):
    study.write_trials(2)
    record = read_study(study.tracked).runs[0]
    with study.open() as store:
        left = create_run(store, record_content(record, study.tracked, frozenset(), ""))
    assert study.statuses() == {"RUNNING"}
    assert study.sync().resumed == 1
    run = study.runs()[record.place.key]
    assert (run.info.run_id, run.info.status) == (left, "FINISHED")
    assert run.data.metrics["train_mse"] == 0.1


def test_after_a_killed_sync_the_next_leaves_one_finished_run_per_trial(study):
    study.write_trials(12)
    writer = start_python(SYNC, study.name, study.uri, study.results)
    while study.query("SELECT count(*) FROM runs")[0][0] < 4:
        assert writer.poll() is None, "the sync ended before it was killed"
        time.sleep(0.002)
    writer.kill()
    writer.wait()
    study.sync()
    assert len(study.runs()) == 12
    assert study.statuses() == {"FINISHED"}


def test_two_simultaneous_syncs_to_a_new_store_leave_one_run_per_trial(tmp_path):
    study = Study(tmp_path)
    study.write_trials(5)
    ready = tmp_path / "ready"
    ready.mkdir()
    both = [start_python(SYNC_TOGETHER, study.name, study.uri, study.results, ready, number) for number in range(2)]
    assert [writer.communicate()[1] for writer in both] == ["", ""]
    assert len(study.runs()) == 5
    assert study.query("SELECT count(*) FROM runs") == [(5 + 1,)]
    assert study.query("SELECT count(*) FROM runs WHERE experiment_id = 0") == [(0,)]
    assert not list(study.results.glob(".mlflow.db*")), "the temporary folder of the schema is removed"


def test_the_default_experiment_is_empty_and_artifacts_are_beside_the_database(study):
    study.write_trials(2)
    study.sync()
    assert study.query("SELECT count(*) FROM runs WHERE experiment_id = 0") == [(0,)]
    run = study.runs()[f"trial/{study.trials[0]}"]
    copy = study.results / "mlartifacts" / study.name / run.info.run_id / "artifacts" / "record.json"
    assert copy.read_bytes() == (study.folder / f"trials/{study.trials[0]}/record.json").read_bytes()


def test_a_moved_project_keeps_its_artifacts_and_a_deleted_store_is_restored(study, tmp_path):
    study.write_trials(2)
    study.sync()
    study.results.rename(tmp_path / "moved")
    study = Study(tmp_path, "moved")
    study.write_trials(3)
    assert study.sync().added == 2  # the new trial, and the run of the study, since its table has changed
    with study.open() as store:
        for run in study_runs(store):
            assert [file.path for file in store.client.list_artifacts(run.info.run_id)] == ["record.json"]
    assert not (tmp_path / "re sults").exists()
    (study.results / "mlflow.db").unlink()
    assert study.sync().added == 3 + 1
    assert len(study.runs()) == 3


def test_learning_curves_have_one_point_per_epoch_with_its_step_and_time(study):
    study.write_trials(1)
    study.write_record(study.trials[0], epochs=400)  # 2000 points: more than one batch
    study.sync()
    run = study.runs()[f"trial/{study.trials[0]}"]
    with study.open() as store:
        curves = {
            name: store.client.get_metric_history(run.info.run_id, name)
            for name in ("train/mse", "validation/accuracy", "validation_mse")
        }
    expected = [(epoch, 0.5 / epoch, round(1000 * (STARTED + epoch))) for epoch in range(1, 401)]
    for name in ("train/mse", "validation/accuracy"):
        assert sorted((point.step, point.value, point.timestamp) for point in curves[name]) == expected
    assert [(point.step, point.value) for point in curves["validation_mse"]] == [(0, 0.2)]


def test_varied_settings_are_params_and_constant_settings_are_tags(study):
    study.write_trials(3)
    study.sync()
    data = study.runs()[f"trial/{study.trials[2]}"].data
    assert data.params == {
        "neurons": "300-200", "n_layers": "2", "neurons_1": "300", "neurons_2": "200", "sum_neurons": "500",
        "hidden_dropout_1": "0.0", "hidden_dropout_2": "0.0", "mean_hidden_dropout": "0.0",
        "l1": "0.002", "log10_l1": "-2.69897", "epsilon": "0.01", "log10_epsilon": "-2",
    }  # fmt: skip
    assert (data.tags["l2"], data.tags["batch_size"]) == ("0.5", "32")
    assert "train_r2" not in data.metrics, "a metric that is null is left out"


def test_a_setting_that_starts_to_vary_becomes_a_param_of_earlier_runs(study):
    study.write_table(["0" * 12])
    study.write_record("0" * 12, number=0)
    study.sync()
    assert "l1" not in study.runs()[f"trial/{'0' * 12}"].data.params
    study.write_trials(2)
    study.sync()
    assert {run.data.params["l1"] for run in study.runs().values()} == {"0.0", "0.001"}


def test_confirmations_and_the_optimum_are_separate_runs(study):
    study.write_trials(1)
    study.write_record("a" * 12, "confirm/best_observed/1")
    study.write_record("b" * 12, "confirm/best_observed/2")
    study.write_record("b" * 12, "optimum")
    study.sync()
    confirmations = study.runs("confirmation")
    assert {key: run.info.run_name for key, run in confirmations.items()} == {
        "confirmation/best_observed/1": "best_observed_1",
        "confirmation/best_observed/2": "best_observed_2",
    }
    assert study.runs("optimum").keys() == {"optimum"}
    shutil.rmtree(study.folder / "confirm")
    study.sync()
    assert study.runs("confirmation") == {}


def test_the_run_of_the_study_contains_its_files_and_is_updated(study):
    study.write_trials(1)
    (study.folder / "figures").mkdir()
    (study.folder / "figures/importance.png").write_bytes(b"first")
    study.sync()
    (study.folder / "figures/importance.png").write_bytes(b"second")
    assert study.sync() == Counts(added=1, unchanged=1, retired=1)
    run = study.runs("study")["study"]
    artifacts = study.results / "mlartifacts" / study.name / run.info.run_id / "artifacts"
    assert (artifacts / "figures/importance.png").read_bytes() == b"second"
    assert (artifacts / "table.csv").exists()


def test_a_damaged_file_of_the_study_is_reported_and_not_logged(study):
    study.write_trials(1)
    write_text(study.folder / "summary.csv", "trial,mse\na,0.5\n")
    (study.folder / "summary.csv").write_text("trial,mse\na,0.4\n")
    with pytest.raises(DamagedError, match=r"summary\.csv: damaged: its content does not match its checksum"):
        study.sync()
    assert study.runs("study") == {}
    write_text(study.folder / "summary.csv", "trial,mse\na,0.5\n")
    assert study.sync().added == 2


def test_the_follower_tracks_new_records_and_ends_with_its_parent(study):
    study.write_trials(1)
    parent = subprocess.Popen(["sleep", "60"])
    follower = start_follower(study, parent.pid, 0.1)
    try:
        for count in (1, 3):
            study.write_trials(count)
            wait_until(study, "SELECT count(*) FROM runs WHERE status = 'FINISHED'", [(count,)])
    finally:
        parent.kill()
        parent.wait()
    assert follower.communicate(timeout=20)[1] == ""
    assert follower.returncode == 0


def test_the_follower_reports_a_failure_once_and_ends_on_sigterm(tmp_path):
    study = Study(tmp_path)
    study.write_trials(1)
    (study.results / "mlflow.db").write_text("no database " * 100)
    follower = start_follower(study, os.getpid(), 0.1)
    first = follower.stderr.readline()
    assert first == f"{study.uri}: file is not a database\n"
    time.sleep(0.5)
    follower.send_signal(signal.SIGTERM)
    assert follower.communicate(timeout=20)[1] == ""
    assert follower.returncode == 0


def test_an_unavailable_server_is_reported_in_one_line_within_15_seconds(tmp_path):
    port = free_port()
    began = time.monotonic()
    with pytest.raises(TrackingError) as caught:
        sync(TrackedStudy("digits", f"http://127.0.0.1:{port}", tmp_path))
    assert str(caught.value) == f"http://127.0.0.1:{port}: Connection refused"
    assert time.monotonic() - began < 15


def test_the_champion_accepts_raw_samples_and_each_model_is_registered_once(study):
    import mlflow

    study.write_trials(1)
    study.write_record("a" * 12, "optimum")
    (study.folder / "selection").mkdir()
    Selection(
        optimum="observed_1", choose="lowest_mean", selected_on="validation", why="lowest mean validation mse",
        weight_seeds=[], spec={}, candidates=[Compared(candidate="observed_1", rule="", source="")], optimism=None,
    ).write(study.folder / "selection/selection.json")  # fmt: skip
    assert sync(study.tracked).champion is None, "there is no model yet"
    expected = study.write_optimum(1)
    first = sync(study.tracked).champion
    assert sync(study.tracked).champion == first
    with study.open() as store:
        store.client.delete_registered_model_alias(study.name, "champion")
    first_file = (study.folder / "optimum/model.keras").read_bytes()
    assert sync(study.tracked).champion == first
    mlflow.set_tracking_uri(study.uri)
    loaded = mlflow.pyfunc.load_model("models:/digits@champion")
    info = mlflow.models.get_model_info("models:/digits@champion")
    assert info.signature.inputs.input_names() == ["size", "kind"]
    assert info.signature.outputs.input_names() == ["predicted", "p_no", "p_yes"]
    [folder] = (study.results / "mlartifacts/digits/models").glob("*/artifacts")
    assert f"keras=={version('keras')}" in (folder / "requirements.txt").read_text().splitlines()
    assert [path for path in folder.rglob("*") if path.suffix in (".pkl", ".pickle")] == []
    found = loaded.predict(pd.DataFrame({"size": [2.0, np.nan], "kind": ["b", "other"]}))
    np.testing.assert_array_equal(found[["p_no", "p_yes"]].to_numpy(), expected)
    assert found["predicted"].tolist() == [["no", "yes"][best] for best in expected.argmax(axis=1)]
    with pytest.raises(mlflow.exceptions.MlflowException, match="missing inputs"):
        loaded.predict(pd.DataFrame({"size": [2.0]}))

    study.write_optimum(2)
    second = sync(study.tracked).champion
    with study.open() as store:
        versions = {found.version: found for found in store.client.search_model_versions("name = 'digits'")}
        champion = store.client.get_model_version_by_alias(study.name, "champion")
        run = store.client.get_run(champion.run_id)
    assert len(versions) == 2
    assert str(champion.version) == second.version != first.version
    assert champion.description == "lowest mean validation mse"
    assert run.data.tags["gamtune.role"] == "optimum"
    assert study.query("SELECT count(*) FROM logged_models WHERE experiment_id = 0") == [(0,)]

    (study.folder / "optimum/model.keras").write_bytes(first_file)
    assert sync(study.tracked).champion == first, "the earlier model is registered already"


def test_runs_name_their_data_set_machine_and_specification_file(study):
    study.write_trials(1)
    machine = {"platform": "Linux-6", "processor": "A Processor", "cores": 2, "memory_gb": 8.0}
    study.write_record(study.trials[0], system=machine)
    study.write_data()
    study.sync()
    run = study.runs()[f"trial/{study.trials[0]}"]
    tags = run.data.tags
    assert (tags["system.processor"], tags["system.cores"], tags["version.python"]) == ("A Processor", "2", "3.11")
    assert (tags["gamtune.strategy"], tags["gamtune.specified_in"]) == ("random", "table.csv")
    assert "gamtune.round" not in tags
    assert "[the run of the study](#/experiments/1/runs?" in tags["mlflow.note.content"]
    [used] = run.inputs.dataset_inputs
    assert (used.dataset.name, used.dataset.digest) == ("digits", "d" * 36)
    columns = json.loads(used.dataset.schema)["mlflow_colspec"]
    assert [(column["name"], column["type"]) for column in columns] == [
        ("size", "double"),
        ("kind", "string"),
        ("y", "string"),
    ]


def test_the_run_of_a_trial_in_a_round_names_the_round(study):
    study.write_trials(2)
    (study.folder / "rounds/1").mkdir(parents=True)
    spec = make_spec({"neurons": [3]}, 1)
    write_slots(study.folder / "rounds/1/slots.csv", [FilledSlot("1", "new", spec)])
    study.write_record(spec.trial, "rounds/1/1")
    with_rounds = replace(study.tracked, stages=("rounds/1",))
    sync(with_rounds)
    tags = study.runs()[f"trial/{spec.trial}"].data.tags
    assert (tags["gamtune.round"], tags["gamtune.specified_in"]) == ("1", "rounds/1/slots.csv")
    [summary] = study.runs("study").values()
    copy = study.results / "mlartifacts" / study.name / summary.info.run_id / "artifacts/rounds/1/slots.csv"
    assert copy.exists(), "the specification is an artifact of the run of the study"
    assert Path(copy).read_text().startswith("slot,")


def test_a_description_by_a_user_is_kept_and_a_changed_strategy_is_updated(study):
    study.write_trials(1)
    study.sync()
    key = f"trial/{study.trials[0]}"
    run_id = study.runs()[key].info.run_id
    with study.open() as store:
        store.client.set_tag(run_id, "mlflow.note.content", "look at this one")
    assert sync(replace(study.tracked, strategy="sobol")).counts.unchanged == 2
    tags = study.runs()[key].data.tags
    assert (tags["mlflow.note.content"], tags["gamtune.strategy"]) == ("look at this one", "sobol")


def test_partial_artifacts_of_a_killed_sync_are_removed(study):
    study.write_trials(1)
    study.sync()
    (run,) = study.runs().values()
    folder = Path(unquote(urlparse(run.info.artifact_uri).path))
    (folder / ".artifact.uploading.abc").write_text("{")
    with study.open() as store:
        store.client.update_run(run.info.run_id, status="RUNNING")
    assert study.sync().resumed == 1
    assert {path.name for path in folder.iterdir()} == {"record.json"}

"""Trials that are killed or lack memory or files; slow trials are replaced by fakes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gamtune.config.settings import make_spec
from gamtune.data.arrays import Prepared
from gamtune.learners import trial
from gamtune.results.clean_up import remove_failed_trials
from gamtune.results.store import store_key
from gamtune.runtime import launch as launching
from gamtune.runtime.environment import LIBRARY
from gamtune.runtime.fingerprint import closure
from gamtune.runtime.launch import LaunchError, launch
from gamtune.runtime.training_code import training_code

SPEC = make_spec({"neurons": [8], "epochs": 1}, 1)


@pytest.fixture
def places(tmp_path):
    return {"record": tmp_path / "study" / "trial" / "record.json", "store": tmp_path / "store"}


def run(digits, places, attempt=1, attempts=1):
    launch(SPEC, digits, places["record"], places["store"], attempt, attempts)
    return json.loads(places["record"].read_text())


def write_ok(spec, data, code, attempt, folder, leaves, earlier):
    for name in leaves:
        (folder / name).write_text(f"{name}, {earlier and earlier.name}")
    content = {
        "trial": spec.trial,
        "data": data.fingerprint,
        "code": code,
        "status": "ok",
        "metrics": {},
        "pid": os.getpid(),
    }
    (folder / "record.json").write_text(json.dumps(content))


def write_failed(spec, data, code, attempt, folder, leaves, earlier):
    content = {"trial": spec.trial, "data": data.fingerprint, "code": code, "status": "failed"}
    (folder / "record.json").write_text(json.dumps(content))


def killed(*_):
    os.kill(os.getpid(), signal.SIGKILL)


def out_of_memory(*_):
    raise MemoryError("too big")


def full_disk(*_):
    raise OSError(28, "No space left on device")


def broken_installation(*_):
    raise ModuleNotFoundError("No module named 'keras'")


def test_a_stored_trial_is_not_trained_again(digits, places, monkeypatch):
    monkeypatch.setattr(trial, "run_trial", write_ok)
    first = run(digits, places)
    places["record"].unlink()
    assert run(digits, places) == first  # the record contains the id of the process that wrote it
    assert first["pid"] != os.getpid()
    assert (places["record"].parent / "model.keras").read_text() == "model.keras, None"
    assert len(list(places["store"].iterdir())) == 1


def test_changed_code_trains_again(digits, places, monkeypatch):
    monkeypatch.setattr(trial, "run_trial", write_ok)
    first = run(digits, places)
    monkeypatch.setattr(launching, "training_code", lambda: "edited")
    assert run(digits, places) != first
    assert len(list(places["store"].iterdir())) == 2


@pytest.mark.parametrize(
    ("happening", "reason"),
    [
        (killed, r"killed by signal 9 \(SIGKILL\), which usually means that the machine ran out of memory,"),
        (out_of_memory, "out of memory"),
    ],
)
def test_a_killed_trial_is_repeated_and_recorded_as_failed_after_the_last_attempt(
    digits, places, monkeypatch, happening, reason
):
    monkeypatch.setattr(trial, "run_trial", happening)
    with pytest.raises(LaunchError, match=f"{reason} in attempt 1 of 2"):
        run(digits, places, 1, 2)
    assert not places["record"].exists()
    record = run(digits, places, 2, 2)
    assert record["status"] == "failed"
    assert record["reason"].endswith("in each of 2 attempts")
    assert record["spec"]["neurons"] == [8]
    assert list(places["store"].iterdir()) == []  # a later run may succeed


@pytest.mark.parametrize(
    ("happening", "message"), [(full_disk, "No space left on device"), (broken_installation, "No module named 'keras'")]
)
def test_errors_outside_the_trial_fail_the_job_without_a_record(digits, places, monkeypatch, capfd, happening, message):
    monkeypatch.setattr(trial, "run_trial", happening)
    with pytest.raises(LaunchError):
        run(digits, places)
    assert message in capfd.readouterr().err
    assert not places["record"].exists()
    assert list(places["store"].iterdir()) == []


def test_a_disk_that_becomes_full_is_reported_in_one_line(digits, places, monkeypatch):
    monkeypatch.setattr(trial, "run_trial", write_ok)
    monkeypatch.setattr(launching, "keep", full_disk)
    with pytest.raises(LaunchError, match="No space left on device"):
        run(digits, places)
    assert list(places["store"].iterdir()) == []


def test_missing_data_are_named(places, tmp_path):
    with pytest.raises(LaunchError, match=r"dataset.json: no such file; prepare the data first"):
        run(tmp_path / "dataset.json", places)


def test_resetting_failed_trials_keeps_finished_ones(digits, places, monkeypatch, tmp_path):
    monkeypatch.setattr(trial, "run_trial", write_failed)
    run(digits, places)
    monkeypatch.setattr(trial, "run_trial", write_ok)
    monkeypatch.setattr(launching, "training_code", lambda: "other")
    launch(SPEC, digits, tmp_path / "study" / "fine" / "record.json", places["store"], 1, 1)
    assert remove_failed_trials(tmp_path / "study", places["store"]) == 1
    assert not places["record"].exists()
    assert (tmp_path / "study" / "fine" / "record.json").exists()
    assert len(list(places["store"].iterdir())) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_a_stopped_job_leaves_no_process_and_no_record(digits, places, number):
    script = (
        "import sys, time, pathlib\n"
        "from gamtune.learners import trial\nfrom gamtune.runtime import launch as launching\n"
        "from gamtune.spec import Spec\n"
        "def endless(*_):\n    print('started', flush=True); time.sleep(600)\n"
        "trial.run_trial = endless\n"
        "data_info, record, store, spec = sys.argv[1:]\n"
        "launching.launch(Spec.from_json(spec), pathlib.Path(data_info), pathlib.Path(record), pathlib.Path(store), 1, 1)\n"
    )
    command = [sys.executable, "-c", script, digits, places["record"], places["store"], SPEC.to_json()]
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY)}
    with subprocess.Popen(list(map(str, command)), env=environment, stdout=subprocess.PIPE, text=True) as job:
        assert job.stdout.readline() == "started\n"
        children = Path(f"/proc/{job.pid}/task/{job.pid}/children").read_text().split()
        assert len(children) == 1
        job.send_signal(number)
        job.wait(10)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{children[0]}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{children[0]}").exists()
    assert not places["record"].exists()


def test_the_import_closure_of_a_trial_does_not_contain_the_config():
    files = [path for path in closure("gamtune.learners.trial") if path.name != "__init__.py"]
    names = [path.relative_to(LIBRARY / "gamtune").as_posix() for path in files]
    assert names == [
        "data/arrays.py",
        "learners/failures.py",
        "learners/mlp/conventions.py",
        "learners/mlp/dropout.py",
        "learners/mlp/epoch_graph.py",
        "learners/mlp/forward.py",
        "learners/mlp/gradients.py",
        "learners/mlp/h2o_update.py",
        "learners/mlp/keras_update.py",
        "learners/mlp/layers.py",
        "learners/mlp/loop.py",
        "learners/mlp/network.py",
        "learners/mlp/objective.py",
        "learners/mlp/scoring.py",
        "learners/mlp/state.py",
        "learners/mlp/tensors.py",
        "learners/mlp/update.py",
        "learners/trial.py",
        "metrics/h2o.py",
        "results/record.py",
        "spec.py",
    ]


def obtain(digits, places, epochs, leaves, continues=0):
    spec = make_spec({"neurons": [8], "epochs": epochs}, 1)
    launch(spec, digits, places["record"], places["store"], 1, 1, leaves, continues)
    return places["store"] / store_key(spec, Prepared.open(digits).fingerprint, training_code())


def test_a_model_that_was_not_kept_is_trained_again_on_request(digits, places, monkeypatch):
    monkeypatch.setattr(trial, "run_trial", write_ok)
    model = places["record"].parent / "model.keras"
    folder = obtain(digits, places, 2, ())
    record = places["record"].read_text()
    assert not model.exists()
    assert [file.name for file in folder.glob("[!.]*")] == ["record.json"]
    obtain(digits, places, 2, ("model.keras",))
    assert model.exists()
    assert {file.name for file in folder.glob("[!.]*")} == {"record.json", "model.keras"}
    assert places["record"].read_text() == record  # the trial was not trained again
    obtain(digits, places, 2, ())
    assert not model.exists()


def test_a_longer_trial_continues_a_shorter_one_only_with_a_stored_state(digits, places, monkeypatch):
    monkeypatch.setattr(trial, "run_trial", write_ok)
    short = obtain(digits, places, 2, ("state.npz",))
    assert not (places["record"].parent / "state.npz").exists()  # it stays in the store
    assert (obtain(digits, places, 4, ("model.keras",), 2) / "model.keras").read_text() == f"model.keras, {short.name}"
    (short / "state.npz").unlink()
    assert (obtain(digits, places, 5, ("model.keras",), 2) / "model.keras").read_text() == "model.keras, None"
    assert (obtain(digits, places, 6, ("model.keras",), 3) / "model.keras").read_text() == "model.keras, None"


def test_a_failed_trial_is_not_repeated_because_its_model_is_missing(digits, places, monkeypatch):
    monkeypatch.setattr(trial, "run_trial", write_failed)
    obtain(digits, places, 2, ("model.keras",))
    monkeypatch.setattr(trial, "run_trial", killed)
    obtain(digits, places, 2, ("model.keras",))
    assert json.loads(places["record"].read_text())["status"] == "failed"

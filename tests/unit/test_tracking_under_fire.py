"""Tracking under concurrent syncs, killed processes and full disks."""

import os
import random
import shutil
import subprocess
import sys

import pytest
from mlflow.exceptions import MlflowException
from tracked import (
    LIBRARY,
    SYNC_TOGETHER,
    Killer,
    Study,
    content,
    start_follower,
    start_python,
    wait_until,
    write_config,
)

from gamtune.tracking.address import TrackingError

pytestmark = pytest.mark.slow

WRITE_TOGETHER = """
import os, sys, time
from pathlib import Path
records, moment = sys.stdin.read().splitlines(), time.monotonic() + 1
for record in records:
    if os.fork() == 0:
        time.sleep(moment - time.monotonic())
        os.replace(record, Path(record).with_name("record.json"))
        os._exit(0)
for _ in records:
    os.wait()
"""


def change(study):
    """Write changes of every kind for a sync: new trials, a changed one, another table and another optimum."""
    study.write_trials(25)
    study.write_record(study.trials[0], metrics={"train": {"mse": 0.1}, "validation": {"mse": 0.05}})
    study.write_record("b" * 12, "confirm/observed_1/1")
    study.write_record("c" * 12, "optimum")
    study.write_optimum(2)


@pytest.fixture
def changed_study(study):
    """Return a study that was synced with its optimum and has changed since."""
    study.write_trials(4)
    study.write_record("a" * 12, "optimum")
    study.write_optimum(1)
    study.sync()
    change(study)
    return study


def restored(study, copy):
    """Return the copied folder of results of the study."""
    shutil.rmtree(study.results)
    shutil.copytree(copy, study.results)


@pytest.mark.parametrize("moments", [5, pytest.param(20, marks=pytest.mark.long)])
def test_a_sync_after_a_killed_sync_restores_all_runs(changed_study, tmp_path, moments):
    study, copy = changed_study, tmp_path / "copy"
    shutil.copytree(study.results, copy)
    draw, at_work, writing = random.Random(7), 0, 0
    with Killer() as killer:
        _, whole = killer.sync(study)
        expected = content(study)
        for _ in range(moments):
            restored(study, copy)
            at_work += killer.sync(study, draw.uniform(0, whole))[0]
            writing += study.query("SELECT count(*) FROM runs WHERE status = 'RUNNING'") != [(0,)]
            study.sync()
            assert content(study) == expected
            assert study.statuses() == {"FINISHED"}
    assert at_work > moments / 2, "most kills came after the end"
    assert writing > moments / 7, "most kills came before the first run was begun"


def test_a_lost_database_is_rebuilt_from_the_records(changed_study):
    changed_study.sync()
    assert changed_study.sync().added == 0
    with_history = content(changed_study)
    (changed_study.results / "mlflow.db").unlink()
    changed_study.sync()
    once = content(changed_study)
    (changed_study.results / "mlflow.db").unlink()
    changed_study.sync()
    assert content(changed_study) == once
    assert once["runs"] == with_history["runs"]
    assert [version[2:] for version in with_history["versions"]][-1:] == [
        version[2:] for version in once["versions"]
    ], "earlier champions are not on disk any more"


def test_32_simultaneous_trials_are_tracked_once_by_two_syncs_and_a_follower(study, tmp_path):
    study.write_table([f"{number:012x}" for number in range(32)])
    for number, trial in enumerate(study.trials):
        study.write_record(trial, number=number)
        written = study.folder / f"trials/{trial}/record.json"
        written.rename(written.with_name("record.part"))
    ready = tmp_path / "ready"
    ready.mkdir()
    parent = subprocess.Popen(["sleep", "60"])
    follower = start_follower(study, parent.pid, 0.1)
    writer = subprocess.Popen([sys.executable, "-c", WRITE_TOGETHER], stdin=subprocess.PIPE, text=True)
    writer.communicate("\n".join(map(str, study.folder.glob("trials/*/record.part"))))
    both = [start_python(SYNC_TOGETHER, study.name, study.uri, study.results, ready, number) for number in range(2)]
    assert [one.communicate()[1] for one in both] == ["", ""]
    parent.kill()
    parent.wait()
    assert follower.communicate(timeout=30)[1] == ""
    study.sync()
    assert len(study.runs()) == 32
    assert study.query("SELECT count(*) FROM runs WHERE lifecycle_stage = 'active'") == [(32 + 1,)]
    assert study.statuses() == {"FINISHED"}


@pytest.fixture
def local(tmp_path, empty_database):
    """Return a study in results/ of the working directory, as its config expects."""
    study = Study(tmp_path, "results")
    study.results.mkdir()
    shutil.copy(empty_database, study.results / "mlflow.db")
    study.write_trials(3)
    write_config(tmp_path)
    return study


def run(study, command):
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY), "PYTHON": sys.executable}
    return subprocess.run(
        command, cwd=study.results.parent, env=environment, capture_output=True, text=True, check=False
    )


def records(study):
    return {path: path.read_bytes() for path in study.folder.rglob("record.json")}


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="root may write everything")
def test_a_read_only_store_is_reported_in_one_line_and_the_next_sync_is_complete(local):
    before = records(local)
    weak = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"] if os.geteuid() == 0 else []
    database = local.results / "mlflow.db"
    (local.results / ".mlflow.lock").touch()
    database.chmod(0o444)
    local.results.chmod(0o555)
    done = run(local, [*weak, sys.executable, "-m", "gamtune", "sync", "config.yaml"])
    local.results.chmod(0o755)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("gamtune sync: sqlite:///results/mlflow.db: ")
    assert done.stderr.count("\n") == 1
    assert "read" in done.stderr or "denied" in done.stderr
    assert records(local) == before
    database.chmod(0o644)
    assert local.sync().added == 3 + 1


def may_mount():
    return subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not shutil.which("unshare") or not may_mount(), reason="needs to mount a small disk: root")
def test_a_full_disk_is_reported_in_one_line_and_the_next_sync_is_complete(local):
    script = """
    mount -t tmpfs -o size=6m none results && cp -r kept/. results/
    dd if=/dev/zero of=results/fill bs=4k 2> /dev/null
    "$PYTHON" -m gamtune sync config.yaml; echo "exit $?"
    diff -r kept/digits results/digits && echo complete
    rm results/fill
    "$PYTHON" -m gamtune sync config.yaml; echo "exit $?"
    """
    local.results.rename(local.results.with_name("kept"))
    local.results.mkdir()
    done = run(local, ["unshare", "-m", "sh", "-c", script])
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("gamtune sync: sqlite:///results/mlflow.db: ")
    assert "full" in done.stderr or "No space left" in done.stderr
    first, whole, counts, second = done.stdout.splitlines()
    assert (first, whole, second) == ("exit 1", "complete", "exit 0")
    added, resumed = int(counts.split()[0]), int(counts.split()[2])
    assert added + resumed == 3 + 1, counts


def test_a_follower_reads_only_changed_records(study):
    study.write_trials(40)
    study.sync()
    study.write_table([f"{number:012x}" for number in range(43)])
    parent = subprocess.Popen(["sleep", "120"])
    follower = start_follower(study, parent.pid, 0.1)
    try:
        for number in (40, 41, 42, 0):  # one new record after another, and a changed one
            trial = study.trials[number]
            changed = {"metrics": {"validation": {"mse": 0.001}}} if number == 0 else {}
            study.write_record(trial, number=number, **changed)
            wanted = f"SELECT count(*) FROM runs JOIN tags USING (run_uuid) WHERE value = 'trial/{trial}' AND "
            expected = "0.001" if number == 0 else str(0.2 + number)
            wanted += "status = 'FINISHED' AND lifecycle_stage = 'active' AND run_uuid IN (SELECT run_uuid FROM "
            wanted += f"latest_metrics WHERE key = 'validation_mse' AND abs(value - {expected}) < 1e-9)"
            wait_until(study, wanted, [(1,)])
    finally:
        parent.kill()
        parent.wait()
    assert follower.communicate(timeout=20)[1] == ""
    assert len(study.runs()) == 43


def test_a_run_created_twice_after_a_lost_response_is_kept_once(study, monkeypatch):
    from gamtune.tracking import sync as module

    study.write_trials(4)
    create = module.create_run

    def create_twice(store, content):
        create(store, content)  # the request is repeated, as if its response had been lost
        return create(store, content)

    monkeypatch.setattr(module, "create_run", create_twice)
    monkeypatch.setattr(module, "is_server", lambda _: True)
    counts = study.sync()
    assert (counts.added, counts.retired) == (4 + 1, 4 + 1)
    assert len(study.runs()) == 4
    assert study.query("SELECT DISTINCT status FROM runs WHERE lifecycle_stage = 'active'") == [("FINISHED",)]


def test_sync_stops_retrying_if_the_server_rejects_requests(study, monkeypatch):
    from gamtune.tracking import sync as module

    study.write_trials(2)
    attempts = []

    def refuse(store, content):
        attempts.append(content.key)
        raise MlflowException("permission denied")

    monkeypatch.setattr(module, "create_run", refuse)
    monkeypatch.setattr(module, "is_server", lambda _: True)
    monkeypatch.setattr(module, "PATIENCE", 0.5)
    monkeypatch.setattr(module, "PAUSE", 0.1)
    with pytest.raises(TrackingError, match="permission denied"):
        study.sync()
    assert 2 < len(attempts) < 20

"""The run lock: one run at a time in a folder, and recovery after a killed run."""

import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from gamtune.errors import InputError
from gamtune.runtime import run_lock as running
from gamtune.runtime.environment import LIBRARY
from gamtune.runtime.run_lock import LOCK, SNAKEMAKE_LOCKS, active_run, exclusive, run_alone

HOLD = """
import subprocess, sys
from gamtune.runtime.run_lock import exclusive
with exclusive("study other"):
    child = subprocess.Popen(["sleep", "60"])
    print(child.pid, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@contextmanager
def another_run():
    """Start another process that holds the lock, and its child."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD],
        env={**os.environ, "PYTHONPATH": str(LIBRARY)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as run:
        child = int(run.stdout.readline())
        try:
            yield run
        finally:
            run.kill()
            os.kill(child, signal.SIGKILL)


def workflow(dry=False):
    """Return a stand-in for a workflow, the settings of its execution and the calls of `execute`."""
    calls = []
    plugin = SimpleNamespace(common_settings=SimpleNamespace(dryrun_exec=dry))

    def execute(executor_plugin, **keywords):
        calls.append(active_run())

    def delete_output(only_temp, dryrun):
        calls.append(active_run())

    return SimpleNamespace(execute=execute, delete_output=delete_output), plugin, calls


def execute(tmp_path, dry=False):
    flow, plugin, calls = workflow(dry)
    run_alone(flow, "small", tmp_path / "results" / "small")
    flow.execute(executor_plugin=plugin, updated_files=None)
    return calls


def test_a_second_simultaneous_run_is_refused_in_one_line(tmp_path, capsys):
    with another_run() as run:
        before = LOCK.read_text()
        with pytest.raises(SystemExit) as ended:
            execute(tmp_path)
        assert ended.value.code == 2
        stderr = capsys.readouterr().err
        assert stderr.count("\n") == 1
        assert stderr.startswith(f"another run is active in this folder: study other, PID {run.pid} on ")
        assert ", since 20" in stderr
        assert LOCK.read_text() == before
        assert active_run() == stderr.rstrip()


def test_the_lock_is_released_when_the_run_is_killed_even_if_a_child_survives():
    with another_run() as run:
        run.kill()
        run.wait()
        assert active_run() == ""
        with exclusive("study small"):
            assert json.loads(LOCK.read_text())["pid"] == os.getpid()
    assert LOCK.read_text() == ""


def test_the_lock_is_held_during_the_whole_execution_and_not_by_a_dry_run(tmp_path):
    (line,) = execute(tmp_path)
    assert f"study small, PID {os.getpid()} on " in line
    with another_run():
        (line,) = execute(tmp_path, dry=True)
        assert "study other" in line
    assert active_run() == ""


def test_a_run_removes_the_leftovers_of_a_killed_run(tmp_path, capsys):
    SNAKEMAKE_LOCKS.mkdir(parents=True)
    own, foreign = SNAKEMAKE_LOCKS / "0.output.lock", SNAKEMAKE_LOCKS / "1.output.lock"
    own.write_text(f"{tmp_path}/results/small/table.csv\n")
    foreign.write_text(f"{tmp_path}/results/smaller/table.csv\n")
    trial = tmp_path / "results" / "small" / "trials" / "0123456789ab"
    trial.mkdir(parents=True)
    kept = [trial / "record.json", trial / ".hidden", trial / "model.part.keras"]
    for path in [*kept, trial / ".a1b2c3d4.part.json", trial / ".a1b2c3d4.part"]:
        path.touch()
    with another_run(), pytest.raises(SystemExit):
        execute(tmp_path)
    execute(tmp_path, dry=True)
    assert own.exists()
    assert len(list(trial.iterdir())) == 5
    capsys.readouterr()
    execute(tmp_path)
    assert capsys.readouterr().err == "An earlier run was killed; its lock was removed.\n"
    assert (own.exists(), foreign.exists()) == (False, True)
    assert sorted(trial.iterdir()) == sorted(kept)


def test_a_run_on_another_machine_is_detected_by_its_heartbeat(monkeypatch):
    monkeypatch.setattr(running, "BEAT", 0.05)
    with exclusive("study small"):
        first = LOCK.stat().st_mtime_ns
        time.sleep(0.2)
        assert LOCK.stat().st_mtime_ns > first
        lock = json.loads(LOCK.read_text()) | {"host": "elsewhere"}
    LOCK.write_text(json.dumps(lock))
    with exclusive("study small"):
        pass  # the run was in a container of this machine and has ended
    lock |= {"boot": "another"}
    LOCK.write_text(json.dumps(lock))
    with exclusive("study small"):
        pass  # the lock file was not touched
    LOCK.write_text(json.dumps(lock))
    alive = threading.Thread(target=lambda: [(os.utime(LOCK), time.sleep(0.02)) for _ in range(15)])
    alive.start()
    with pytest.raises(InputError, match=r"another run is active .*: study small, .* on elsewhere"), exclusive("other"):
        pass
    alive.join()


def test_deleting_all_outputs_needs_the_lock_as_well(tmp_path):
    flow, _, calls = workflow()
    run_alone(flow, "small", tmp_path / "results" / "small")
    flow.delete_output(dryrun=False)
    assert "study small" in calls[0]
    with another_run():
        flow.delete_output(dryrun=True)
        with pytest.raises(SystemExit):
            flow.delete_output(dryrun=False)
    assert len(calls) == 2


@pytest.mark.parametrize(
    "content", ["", "{", "[1]", '{"pid": 3}', "\0" * 100], ids=["empty", "cut", "list", "short", "zeros"]
)
def test_a_damaged_lock_file_is_ignored(content):
    LOCK.parent.mkdir()
    LOCK.write_text(content)
    with exclusive("study small"):
        assert "study small" in active_run()


def test_an_unwritable_lock_is_reported_in_one_line():
    LOCK.mkdir(parents=True)
    with pytest.raises(InputError, match=r"^\.snakemake/running: Is a directory$"), exclusive("study small"):
        pass
    assert active_run() == ""


def test_without_locks_a_run_relies_on_snakemakes_lock_and_nothing_is_deleted(tmp_path, monkeypatch, capsys):
    def no_locks(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    SNAKEMAKE_LOCKS.mkdir(parents=True)
    lock = SNAKEMAKE_LOCKS / "0.output.lock"
    lock.write_text(f"{tmp_path}/results/small/table.csv\n")
    assert execute(tmp_path) == [""]
    assert "the file system does not provide locks" in capsys.readouterr().err
    assert lock.exists()
    with pytest.raises(InputError, match="does not provide locks"), exclusive("gamtune prune"):
        pass

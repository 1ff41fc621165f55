"""Prune removes unused trials, even if other users own files or other processes remove them."""

import fcntl
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from gamtune import prune as pruning
from gamtune.prune import prune, show_unneeded
from gamtune.results.clean_up import Unneeded, remove
from gamtune.runtime.run_lock import active_run, exclusive


@pytest.fixture
def trials(tmp_path):
    """Return three trials of a study, as `unneeded_trials` finds them."""
    found = []
    for name in "abc":
        folder = tmp_path / "small" / "trials" / name
        folder.mkdir(parents=True)
        for file in ("record.json", "model.keras", "log.txt"):
            (folder / file).touch()
        found.append(Unneeded(folder, "small", 0))
    return found


def test_files_that_cannot_be_removed_are_reported_and_the_rest_is_removed(trials, monkeypatch):
    whole = shutil.rmtree

    def forbid(path):
        if path == trials[0].path:
            raise PermissionError(13, "Permission denied", str(path / "log.txt"))
        whole(path)

    monkeypatch.setattr(shutil, "rmtree", forbid)
    assert remove(trials) == [f"{trials[0].path}/log.txt: Permission denied"]
    assert [one.path.exists() for one in trials] == [True, False, False]
    assert not (trials[0].path / "record.json").exists()


def test_folders_deleted_meanwhile_are_ignored_and_empty_parents_are_removed(trials, tmp_path):
    shutil.rmtree(trials[1].path)
    assert remove(trials) == []
    assert not (tmp_path / "small" / "trials").exists()
    assert (tmp_path / "small").exists()


def is_locked(path):
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_runs_and_syncs_are_locked_while_prune_removes_files(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    seen = []

    def unneeded_trials(plans):
        seen.append((active_run(), is_locked(Path("results/.mlflow.lock"))))
        return []

    monkeypatch.setattr(pruning, "unneeded_trials", unneeded_trials)
    plan = SimpleNamespace(config=SimpleNamespace(tracking=SimpleNamespace(uri="sqlite:///results/mlflow.db")))
    assert prune([plan]) == 0
    ((active, locked),) = seen
    assert "gamtune prune, PID" in active
    assert locked
    capsys.readouterr()
    with exclusive("study small"):
        show_unneeded([plan])
    assert "study small, PID" in capsys.readouterr().err
    show_unneeded([plan])
    assert capsys.readouterr().err == ""

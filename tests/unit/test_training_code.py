"""The fingerprint of the training code is cached until a file or a library changes."""

import json
import time

import pytest

from gamtune.runtime import fingerprint, training_code
from gamtune.runtime.environment import LIBRARY


@pytest.fixture
def computed(tmp_path, monkeypatch):
    """Use a separate cache and settled files, and return a list with one entry per computation."""
    calls = []
    compute = fingerprint.code_fingerprint
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "cache" / "gamtune").mkdir(parents=True)
    monkeypatch.setattr(fingerprint, "code_fingerprint", lambda *names: calls.append(names) or compute(*names))
    monkeypatch.setattr(training_code, "UNSETTLED", 0)
    return calls


def cache(tmp_path):
    (file,) = (tmp_path / "cache" / "gamtune").glob("training-*.json")
    return file


def test_a_second_job_compares_time_stamps_only(computed, tmp_path):
    first = training_code.training_code()
    assert len(computed) == 1
    assert training_code.training_code() == first
    assert len(computed) == 1
    stamped = json.loads(cache(tmp_path).read_text())["stamps"]
    for path in ("gamtune/learners/mlp/loop.py", "gamtune/spec.py", "gamtune/learners", "gamtune"):
        assert str(LIBRARY / path) in stamped


@pytest.mark.parametrize("place", [0, 3, 4], ids=["device", "modification", "change"])
def test_a_changed_file_is_noticed(computed, tmp_path, place):
    first = training_code.training_code()
    content = json.loads(cache(tmp_path).read_text())
    path = str(LIBRARY / "gamtune/spec.py")
    content["stamps"][path][place] += 1
    cache(tmp_path).write_text(json.dumps(content | {"code": "old"}))
    assert training_code.training_code() == first
    assert len(computed) == 2


def test_a_removed_file_and_a_damaged_cache_are_noticed(computed, tmp_path):
    first = training_code.training_code()
    content = json.loads(cache(tmp_path).read_text())
    content["stamps"][str(tmp_path / "removed.py")] = [0, 0, 0, 0, 0]
    cache(tmp_path).write_text(json.dumps(content | {"code": "old"}))
    assert training_code.training_code() == first
    for text in ("", "{}", '{"stamps": 3}', "[]", content["code"]):
        cache(tmp_path).write_text(text)
        assert training_code.training_code() == first
    assert len(computed) == 7


def test_a_file_that_was_written_just_now_is_not_cached(computed, tmp_path, monkeypatch):
    monkeypatch.setattr(training_code, "UNSETTLED", 10 * time.time_ns())
    assert training_code.training_code() == training_code.training_code()
    assert len(computed) == 2


def test_another_version_of_a_library_has_another_fingerprint(computed, tmp_path, monkeypatch):
    first = training_code.training_code()
    monkeypatch.setattr(fingerprint, "_version", lambda library: "99.0")
    cache(tmp_path).unlink()
    assert training_code.training_code() != first

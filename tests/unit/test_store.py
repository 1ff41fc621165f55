"""The store returns only undamaged trials of the right configuration. Training is replaced by a fake."""

import json
from dataclasses import replace

import pytest

from gamtune.config.settings import make_spec
from gamtune.data.arrays import Prepared
from gamtune.errors import DamagedError
from gamtune.files import checksum_of, copy_file, write_text
from gamtune.learners import trial
from gamtune.results.store import Stored, store_key
from gamtune.runtime.launch import launch
from gamtune.runtime.training_code import training_code

SPEC = make_spec({"neurons": [8], "epochs": 4}, 1)
OTHER = make_spec({"neurons": [9], "epochs": 4}, 1)
SHORT = replace(SPEC, epochs=2)
BOTH = ("model.keras", "state.npz")


@pytest.fixture
def trained(monkeypatch):
    """Record each trial that is run: its output and the folder from which it continues."""
    done = []

    def write(spec, data, code, attempt, folder, leaves, earlier):
        for name in leaves:
            (folder / name).write_text(f"{name} of {spec.trial}, continued from {earlier and earlier.name}")
        record = {"trial": spec.trial, "data": data.fingerprint, "code": code, "status": "ok", "metrics": [0.5]}
        (folder / "record.json").write_text(json.dumps(record))

    def count(task):
        done.append(task.spec.trial)
        return train_into(task)

    from gamtune.runtime import launch as launching

    monkeypatch.setattr(trial, "run_trial", write)
    train_into = launching._train_into
    monkeypatch.setattr(launching, "_train_into", count)
    return done


@pytest.fixture
def obtain(digits, tmp_path):
    def obtain(spec=SPEC, leaves=BOTH, continues=0):
        launch(spec, digits, tmp_path / "trial" / "record.json", tmp_path / "store", 1, 1, leaves, continues)
        return tmp_path / "store" / store_key(spec, Prepared.open(digits).fingerprint, training_code())

    return obtain


def overwrite(path, content):
    """Change a file in place, so that its hard links change as well."""
    path.chmod(0o644)
    path.write_bytes(content)


def flipped(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


DAMAGES = {
    "emptied": lambda content: b"",
    "truncated": lambda content: content[: len(content) // 3],
    "flipped": flipped,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("name", ["record.json", "model.keras", ".record.json.sha256", ".model.keras.sha256"])
def test_a_damaged_trial_is_moved_away_and_trained_again(obtain, trained, tmp_path, capfd, name, damage):
    folder = obtain()
    good = {file.name: file.read_bytes() for file in folder.iterdir()}
    bad = damage(good[name])
    overwrite(folder / name, bad)
    obtain()
    assert trained == [SPEC.trial] * 2
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == good
    assert json.loads((tmp_path / "trial" / "record.json").read_text())["metrics"] == [0.5]
    assert (tmp_path / "trial" / "model.keras").read_bytes() == good["model.keras"]
    (line,) = (line for line in capfd.readouterr().err.splitlines() if "damaged" in line)
    assert str(folder) in line
    assert "moved to" in line
    kept = [file.read_bytes() for file in (tmp_path / "store" / ".damaged").rglob("*") if file.name == name]
    assert kept == [bad]
    obtain()
    assert len(trained) == 2


def test_a_model_without_a_record_is_moved_away(obtain, trained, tmp_path):
    folder = obtain()
    (folder / "record.json").unlink()
    obtain()
    assert len(trained) == 2
    assert [file.name for file in (tmp_path / "store").glob(".damaged/*/*")] == [folder.name]


def test_a_trial_stored_under_a_wrong_key_is_not_returned(obtain, trained, tmp_path):
    mine, foreign = obtain(), obtain(OTHER)
    for file in mine.iterdir():
        file.unlink()
    for file in foreign.iterdir():
        (mine / file.name).write_bytes(file.read_bytes())
    obtain()
    assert trained == [SPEC.trial, OTHER.trial, SPEC.trial]
    assert json.loads((tmp_path / "trial" / "record.json").read_text())["trial"] == SPEC.trial
    assert (mine / "model.keras").read_text().startswith(f"model.keras of {SPEC.trial}")


@pytest.mark.parametrize("field", ["trial", "data", "code"])
def test_every_part_of_the_identity_of_a_trial_is_compared(tmp_path, field, capsys):
    stored = Stored(tmp_path, SPEC, "data", "code")
    record = {"trial": SPEC.trial, "data": "data", "code": "code", "status": "ok"}
    write_text(stored.folder / "record.json", json.dumps(record))
    assert stored.status() == "ok"
    write_text(stored.folder / "record.json", json.dumps(record | {field: "another"}))
    assert stored.status() is None
    assert f"belongs to another trial (its {field} differs)" in capsys.readouterr().err


def test_a_damaged_model_does_not_change_the_record(obtain, trained, tmp_path):
    folder = obtain()
    record = (folder / "record.json").stat().st_mtime_ns
    overwrite(folder / "model.keras", b"")
    obtain()
    assert (folder / "record.json").stat().st_mtime_ns == record
    assert (tmp_path / "trial" / "model.keras").stat().st_size > 0


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_trial_does_not_continue_from_a_damaged_state(obtain, trained, damage):
    short = obtain(SHORT)
    assert f"continued from {short.name}" in (obtain(SPEC, BOTH, 2) / "model.keras").read_text()
    overwrite(short / "state.npz", damage((short / "state.npz").read_bytes()))
    assert "continued from None" in (obtain(replace(SPEC, epochs=5), BOTH, 2) / "model.keras").read_text()


def test_a_trial_damaged_twice_is_kept_twice(obtain, trained, tmp_path):
    for _ in range(2):
        overwrite(obtain() / "record.json", b"")
    obtain()
    assert len(list((tmp_path / "store" / ".damaged").iterdir())) == 2


def test_a_trial_trained_again_by_another_process_is_kept(obtain, trained, monkeypatch):
    from gamtune.results import store

    folder = obtain()
    problem = Stored._record_problem
    answers = iter(["the record is gone"])
    monkeypatch.setattr(Stored, "_record_problem", lambda self: next(answers, None) or problem(self))
    assert store.Stored(folder.parent, SPEC, *_identity(folder)).status() == "ok"
    assert folder.exists()


def _identity(folder):
    record = json.loads((folder / "record.json").read_text())
    return record["data"], record["code"]


def test_the_copy_in_the_results_has_a_checksum(obtain, trained, tmp_path):
    obtain()
    for name in ("record.json", "model.keras"):
        assert checksum_of(tmp_path / "trial" / name).read_text().endswith(f"  {name}\n")
    obtain(SPEC, ())
    assert not (tmp_path / "trial" / "model.keras").exists()
    assert not checksum_of(tmp_path / "trial" / "model.keras").exists()


def test_placing_a_model_leaves_the_store_read_only(obtain, trained):
    folder = obtain()
    obtain()
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o444}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_description_of_the_data_fails_the_job(digits, tmp_path, trained, damage):
    copy = tmp_path / "data" / "dataset.json"
    copy_file(digits, copy)
    overwrite(copy, damage(copy.read_bytes()))
    with pytest.raises(DamagedError, match=r"dataset\.json: damaged: .*; delete it and run again"):
        launch(SPEC, copy, tmp_path / "trial" / "record.json", tmp_path / "store", 1, 1)
    assert trained == []

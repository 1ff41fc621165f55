"""Arrays are compared with their fingerprints before each trial, and read again only after a change."""

import json
import os
import shutil

import numpy as np
import pytest

from gamtune.config.settings import make_spec
from gamtune.data import intact
from gamtune.data.intact import array_fingerprint, open_intact
from gamtune.errors import DamagedError
from gamtune.results.layout import DataFolder
from gamtune.results.record import PARTS
from gamtune.runtime.launch import LaunchError, launch

ARRAYS = [f"{axis}_{part}.npy" for axis in "xy" for part in PARTS]


@pytest.fixture
def folder(digits, tmp_path):
    shutil.copytree(digits.parent, tmp_path / "data", ignore=shutil.ignore_patterns(DataFolder(tmp_path).compared.name))
    return tmp_path / "data"


@pytest.fixture
def read(monkeypatch):
    """Record the names of the arrays that are read."""
    names = []
    check = intact._check
    monkeypatch.setattr(intact, "_check", lambda path, *rest: (names.append(path.name), check(path, *rest)))
    monkeypatch.setattr(intact, "UNSETTLED", -1)
    return names


def flip(path, offset):
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)


def cut(path, size):
    os.truncate(path, size)


DAMAGES = {
    "the last value": lambda path: flip(path, -1),
    "a value in the middle": lambda path: flip(path, path.stat().st_size // 2),
    "the magic number": lambda path: flip(path, 0),
    "the length of the header": lambda path: flip(path, 8),
    "the type": lambda path: flip(path, path.read_bytes().index(b"'descr': '") + 11),
    "the shape": lambda path: flip(path, path.read_bytes().index(b"'shape': (") + 10),
    "all values": lambda path: cut(path, 128),
    "a part": lambda path: cut(path, path.stat().st_size - 4),
    "half of the header": lambda path: cut(path, 40),
    "everything": lambda path: cut(path, 0),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("name", ARRAYS)
def test_a_damaged_array_is_reported(folder, read, name, damage):
    open_intact(folder / "dataset.json")
    damage(folder / name)
    with pytest.raises(DamagedError, match=rf"{name}: damaged: .*; run again to prepare the data again$"):
        open_intact(folder / "dataset.json")
    assert not (folder / "dataset.json").exists()  # so that Snakemake runs the data step


def test_a_missing_array_is_prepared_again(folder):
    (folder / "y_train.npy").unlink()
    with pytest.raises(DamagedError, match=r"y_train\.npy: damaged: it is missing; run again"):
        open_intact(folder / "dataset.json")
    assert not (folder / "dataset.json").exists()


def test_an_array_is_read_once_until_it_is_written(folder, read):
    for _ in range(3):
        open_intact(folder / "dataset.json")
    assert sorted(read) == sorted(ARRAYS)
    name, content = "x_train.npy", (folder / "x_train.npy").read_bytes()
    before = (folder / name).stat()
    (folder / name).write_bytes(content)
    os.utime(
        folder / name, ns=(before.st_atime_ns, before.st_mtime_ns)
    )  # like a program that restores the time stamps after writing
    open_intact(folder / "dataset.json")
    assert read[len(ARRAYS) :] == [name]


def test_only_the_requested_parts_are_read(folder, read):
    cut(folder / "x_test.npy", 0)
    open_intact(folder / "dataset.json", ("train", "validation"))
    assert "x_test.npy" not in read


def test_arrays_are_read_again_after_an_hour(folder, read, monkeypatch):
    open_intact(folder / "dataset.json")
    monkeypatch.setattr(intact, "VALID_FOR", 0)
    open_intact(folder / "dataset.json")
    assert len(read) == 2 * len(ARRAYS)


def test_a_file_written_just_now_is_not_cached(folder, read, monkeypatch):
    monkeypatch.setattr(intact, "UNSETTLED", 60)
    os.utime(folder / "x_train.npy")
    open_intact(folder / "dataset.json")
    assert "x_train" not in (
        json.loads(DataFolder(folder).compared.read_text()) if DataFolder(folder).compared.exists() else {}
    )


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"x_train": 1}', b"\xff", b'{"x_train": {"at": "now"}}'])
def test_a_damaged_cache_does_not_change_the_results(folder, read, content):
    open_intact(folder / "dataset.json")
    DataFolder(folder).compared.write_bytes(content)
    open_intact(folder / "dataset.json")
    assert len(read) == 2 * len(ARRAYS)


def test_type_and_shape_belong_to_the_fingerprint():
    array = np.arange(6, dtype=np.int32)
    others = [array.astype(np.float32), array.view(np.uint32), array.reshape(2, 3), array.reshape(3, 2), array[:5]]
    assert len({array_fingerprint(one) for one in (array, *others)}) == 6
    assert array_fingerprint(np.asfortranarray(array.reshape(2, 3))) == array_fingerprint(array.reshape(2, 3))
    assert array_fingerprint(np.empty((0, 3))) != array_fingerprint(np.empty((0, 4)))


@pytest.mark.parametrize("size", [0, 1000])
def test_a_damaged_array_fails_the_job_in_one_line_without_a_failed_trial(folder, tmp_path, capfd, size):
    cut(folder / "x_train.npy", size)
    with pytest.raises(LaunchError):
        launch(
            make_spec({"neurons": [8]}, 1),
            folder / "dataset.json",
            tmp_path / "t" / "record.json",
            tmp_path / "s",
            1,
            1,
        )
    errors = capfd.readouterr().err
    assert "x_train.npy: damaged: it is not a complete array" in errors
    assert "Traceback" not in errors
    assert not (tmp_path / "t").exists()
    assert list((tmp_path / "s").iterdir()) == []

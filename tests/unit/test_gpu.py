"""Slots of GPUs, tested with fake devices."""

import json
import os
import subprocess
import sys
import time

import pytest

from gamtune.config.settings import make_spec
from gamtune.learners import trial
from gamtune.runtime import gpu
from gamtune.runtime.environment import LIBRARY
from gamtune.runtime.launch import launch

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="slots are Linux only")

HOLD = "import json, sys\nfrom gamtune.runtime.gpu import gpu_slot\nwith gpu_slot() as v:\n print(json.dumps(v), flush=True)\n sys.stdin.read()"


@pytest.fixture
def slots(monkeypatch):
    """Return names that only this test uses, since slots are shared by all processes of a machine."""
    device = f"fake-{os.getpid()}-{time.monotonic_ns()}"
    monkeypatch.setattr(gpu, "usable_gpus", lambda: [f"{device}-a", f"{device}-b"])
    monkeypatch.setenv(gpu.SLOTS, "")
    gpu.offer_gpus(2)
    return os.environ[gpu.SLOTS].split(",")


def holder():
    """Start a process that holds a slot until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD], env={**os.environ, "PYTHONPATH": str(LIBRARY)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return process, json.loads(process.stdout.readline())


def test_the_first_trials_use_different_gpus(slots):
    a, b = (name.rpartition("/")[0] for name in slots[:2])
    assert slots == [f"{a}/1", f"{b}/1", f"{a}/2", f"{b}/2"]
    with gpu.gpu_slot() as first, gpu.gpu_slot() as second:
        assert first == {"GAMTUNE_GPU_SLOT": f"{a}/1", "CUDA_VISIBLE_DEVICES": a}
        assert second == {"GAMTUNE_GPU_SLOT": f"{b}/1", "CUDA_VISIBLE_DEVICES": b}


def test_a_gpu_slot_is_used_once_and_freed_when_its_process_is_killed(slots):
    holders = [holder() for _ in slots]
    held = [variables["GAMTUNE_GPU_SLOT"] for _, variables in holders]
    assert sorted(held) == sorted(slots)
    holders[2][0].kill()
    holders[2][0].wait()
    with gpu.gpu_slot() as variables:
        assert variables["GAMTUNE_GPU_SLOT"] == held[2]
    for process, _ in holders:
        process.kill()
        process.communicate()


def test_a_trial_waits_while_all_gpu_slots_are_used(slots, monkeypatch):
    monkeypatch.setenv(gpu.SLOTS, slots[0])
    process, _ = holder()
    waiting = subprocess.Popen(
        [sys.executable, "-c", HOLD], env={**os.environ, "PYTHONPATH": str(LIBRARY)},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    time.sleep(1)
    assert waiting.poll() is None
    process.communicate()
    assert slots[0] in waiting.communicate(timeout=10)[0]


def test_a_trial_uses_only_its_gpu_and_records_the_slot(slots, digits, tmp_path, monkeypatch):
    def report(spec, data, code, attempt, folder, *_):
        seen = trial.identity(spec, data.fingerprint, code, attempt) | {"status": "ok"}
        seen["visible"] = os.environ["CUDA_VISIBLE_DEVICES"]
        (folder / "record.json").write_text(json.dumps(seen))

    monkeypatch.setattr(trial, "run_trial", report)
    launch(make_spec({"neurons": [8]}, 1), digits, tmp_path / "a" / "record.json", tmp_path / "store", 1, 1)
    record = json.loads((tmp_path / "a" / "record.json").read_text())
    assert record["gpu_slot"] == slots[0]
    assert record["visible"] == slots[0].rpartition("/")[0]


def test_without_a_gpu_there_are_no_slots(monkeypatch):
    monkeypatch.delenv(gpu.SLOTS, raising=False)
    monkeypatch.setattr(gpu.shutil, "which", lambda name: None)
    gpu.offer_gpus(4)
    assert gpu.SLOTS not in os.environ
    with gpu.gpu_slot() as variables:
        assert variables == {}


@pytest.mark.parametrize(
    ("visible", "usable", "found"),
    [
        (None, "2", ["GPU-1", "GPU-2"]),
        (None, "0", []),
        ("GPU-2", "1", ["GPU-2"]),
        ("", "", []),
        ("1,0", "2", ["1", "0"]),
    ],
)
def test_gpus_are_those_that_tensorflow_finds_among_the_visible(monkeypatch, visible, usable, found):
    """Replace the program of the driver and TensorFlow by fakes."""
    monkeypatch.setattr(gpu.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(gpu, "_output", lambda *command: "GPU-1\nGPU-2" if command[0] == "nvidia-smi" else usable)
    if visible is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert gpu.usable_gpus() == found

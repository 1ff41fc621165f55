"""GPUs shared by several small trainings: each holds one slot of one GPU for as long as it runs.

A slot is a name in Linux' abstract socket name space: bound by one process at a time, machine-wide, and free again
however that process ends. A cluster's jobs find no slots offered, and use the GPU that their scheduler gave them.
filelock is not used, because its files would belong to one user and the slots are common to all users of a machine.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from gamtune.results.record import GPU_SLOT

SLOTS = "GAMTUNE_GPU_SLOTS"  # all slots of the run, as DEVICE/NUMBER, separated by commas
VISIBLE = "CUDA_VISIBLE_DEVICES"
POLL_SECONDS = 0.2


def offer_gpus(trials_per_gpu: int) -> None:
    """Tell the jobs that inherit this environment which slots there are; without a GPU, nothing changes."""
    devices = usable_gpus()
    if devices and sys.platform == "linux":
        numbers = range(1, trials_per_gpu + 1)
        os.environ[SLOTS] = ",".join(f"{device}/{number}" for number in numbers for device in devices)


def usable_gpus() -> list[str]:
    """Names of the GPUs that TensorFlow finds, as ``CUDA_VISIBLE_DEVICES`` knows them; the driver is asked first."""
    if shutil.which("nvidia-smi") is None:
        return []
    asked = _output("nvidia-smi", "--query-gpu=uuid", "--format=csv,noheader")
    visible = os.environ[VISIBLE].split(",") if VISIBLE in os.environ else asked.split()
    script = "import tensorflow; print(len(tensorflow.config.list_physical_devices('GPU')))"
    found = _output(sys.executable, "-c", script) if any(visible) else ""
    return [device.strip() for device in visible[: int(found or 0)]]


def _output(*command: str) -> str:
    """What a command prints; nothing if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


@contextmanager
def gpu_slot() -> Iterator[dict[str, str]]:
    """Hold a slot, waiting until one is free; gives the variables that tell a training of it and of its GPU alone."""
    slots = os.environ.get(SLOTS)
    if not slots:
        yield {}
        return
    name, held = _first_free(slots.split(","))
    with held:
        yield {GPU_SLOT: name, VISIBLE: name.rpartition("/")[0]}


def _first_free(slots: list[str]) -> tuple[str, socket.socket]:
    while True:
        for name in slots:
            held = socket.socket(socket.AF_UNIX)
            try:
                held.bind(f"\0gamtune-gpu-{name}")
            except OSError:
                held.close()
            else:
                return name, held
        time.sleep(POLL_SECONDS)

"""GPUs shared by several small trials: each trial holds one slot of one GPU while it runs.

A slot is a name in Linux' abstract socket namespace. One process on the machine can bind it at a time, and the kernel
releases it when the process ends, also if it is killed. On a cluster no slots are offered, and jobs use the GPU that
the scheduler gave them. filelock is not used, because its files would belong to one user, while the slots are shared by
all users of a machine.
"""

import os
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from gamtune.results.record import GPU_SLOT

SLOTS = "GAMTUNE_GPU_SLOTS"  # all slots of the run, as DEVICE/NUMBER, separated by commas
VISIBLE = "CUDA_VISIBLE_DEVICES"
POLL_SECONDS = 0.2


def offer_gpus(trials_per_gpu: int) -> None:
    """Store the slots of this machine in the environment, which jobs inherit; without a GPU, nothing changes."""
    devices = usable_gpus()
    if devices and sys.platform == "linux":
        numbers = range(1, trials_per_gpu + 1)
        os.environ[SLOTS] = ",".join(f"{device}/{number}" for number in numbers for device in devices)


def usable_gpus() -> list[str]:
    """Return the names of the GPUs that TensorFlow finds, in the form of ``CUDA_VISIBLE_DEVICES``.

    The driver is queried first, since the import of TensorFlow takes seconds.
    """
    if shutil.which("nvidia-smi") is None:
        return []
    installed = _output("nvidia-smi", "--query-gpu=uuid", "--format=csv,noheader")
    visible = os.environ[VISIBLE].split(",") if VISIBLE in os.environ else installed.split()
    script = "import tensorflow; print(len(tensorflow.config.list_physical_devices('GPU')))"
    count = _output(sys.executable, "-c", script) if any(visible) else ""
    return [device.strip() for device in visible[: int(count or 0)]]


def _output(*command: str) -> str:
    """Return the output of a command, or an empty text if it fails."""
    import subprocess  # imported if needed, because every job imports this module

    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


@contextmanager
def gpu_slot() -> Iterator[dict[str, str]]:
    """Wait for a free slot and hold it during the block; yield the environment variables of a trial in this slot."""
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

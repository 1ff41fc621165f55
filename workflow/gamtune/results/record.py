"""What a training leaves: the names of its files, and what its record says whether or not it succeeded."""

import os
import platform
from functools import cache
from typing import Any

from gamtune.spec import Spec

RECORD, MODEL, STATE = "record.json", "model.keras", "state.npz"
PARTS = ("train", "validation", "test")
VERSION = 1  # of the format of a record; increased when the meaning of a key changes
GPU_SLOT = "GAMTUNE_GPU_SLOT"  # variable of a training's environment: the slot it holds


def array_name(axis: str, part: str) -> str:
    """Return the name of the file of an array: ``x_train.npy`` for the inputs of the training samples."""
    return f"{axis}_{part}.npy"


def identity(spec: Spec, data: str, code: str, attempt: int) -> dict[str, Any]:
    """Which training a record is of, on what data and code, and with which versions."""
    from importlib.metadata import version  # slow to import: only for those who write records

    return {
        "version": VERSION,
        "trial": spec.trial,
        "spec": spec.settings() | {"weight_seed": spec.weight_seed} | ({"fold": spec.fold} if spec.fold else {}),
        "data": data,
        "code": code,
        "attempt": attempt,
        "gpu_slot": os.environ.get(GPU_SLOT),
        "system": system(),
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("tensorflow", "keras", "numpy")},
        },
    }


@cache
def system() -> dict[str, Any]:
    """The machine: its operating system, processor, cores and gigabytes of memory."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(pages / 1e9, 1),
    }


def _processor() -> str:
    """Its name; Linux tells it in a file of its own alone."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            named = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:
        named = []
    return named[0] if named else platform.processor() or platform.machine()


def failure(reason: str, history: dict[str, list[float]] | None = None) -> dict[str, Any]:
    """The outcome of a training that gave no model, with the epochs that were sound."""
    told = {"status": "failed", "reason": reason, "metrics": None, "history": history or {}}
    return told | {"epochs_run": len(history["epoch"]) if history else 0, "best_epoch": None}

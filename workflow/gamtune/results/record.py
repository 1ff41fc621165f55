"""The names of the files that a training process reads and writes, and the content of the record that it writes.

Every trial depends on this module: a change of its code trains all trials again. The steps after the training read
records with `gamtune.results.records`.
"""

import os
from functools import cache
from typing import Any

from gamtune.spec import Spec

RECORD, MODEL, STATE = "record.json", "model.keras", "state.npz"
PARTS = ("train", "validation", "test")
VERSION = 1  # of the format of a record; increased when the meaning of a key changes
GPU_SLOT = "GAMTUNE_GPU_SLOT"  # environment variable of a training process with the slot that it holds


def array_name(axis: str, part: str) -> str:
    """Return the name of the file of an array: ``x_train.npy`` for the inputs of the training samples."""
    return f"{axis}_{part}.npy"


def identity(spec: Spec, data: str, code: str, attempt: int) -> dict[str, Any]:
    """Return the keys of a record that identify the trial.

    Parameters
    ----------
    spec : Spec
        The specification of the trial.
    data, code : str
        Fingerprints of the data set and of the training code.
    attempt : int
        Number of the attempt, from 1.
    """
    import platform  # imported if needed, because every job imports this module
    from importlib.metadata import version

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
    """Return the machine: its operating system, processor, number of cores and gigabytes of memory."""
    import platform

    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(pages / 1e9, 1),
    }


def _processor() -> str:
    """Return the name of the processor, which Linux gives only in a file."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            named = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:
        named = []
    if named:
        return named[0]
    import platform

    return platform.processor() or platform.machine()


def failure(reason: str, history: dict[str, list[float]] | None = None) -> dict[str, Any]:
    """Return the keys of a record that describe the result of a trial without a model.

    Parameters
    ----------
    reason : str
        Why the trial failed.
    history : dict of str to list, optional
        The curves up to the last epoch whose values are finite.
    """
    content = {"status": "failed", "reason": reason, "metrics": None, "history": history or {}}
    return content | {"epochs_run": len(history["epoch"]) if history else 0, "best_epoch": None}

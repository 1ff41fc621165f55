"""What a training leaves: the names of its files, and what its record says whether or not it succeeded."""

import os
import platform
from typing import Any

from gamtune.spec import Spec

RECORD, MODEL, STATE = "record.json", "model.keras", "state.npz"
GPU_SLOT = "GAMTUNE_GPU_SLOT"  # variable of a training's environment: the slot it holds


def identity(spec: Spec, data: str, code: str, attempt: int) -> dict[str, Any]:
    """Which training a record is of, on what data and code, and with which versions."""
    from importlib.metadata import version  # slow to import: only for those who write records

    return {
        "trial": spec.trial,
        "spec": spec.settings() | {"weight_seed": spec.weight_seed} | ({"fold": spec.fold} if spec.fold else {}),
        "data": data,
        "code": code,
        "attempt": attempt,
        "gpu_slot": os.environ.get(GPU_SLOT),
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("tensorflow", "keras", "numpy")},
        },
    }


def failure(reason: str, history: dict[str, list[float]] | None = None) -> dict[str, Any]:
    """The outcome of a training that gave no model, with the epochs that were sound."""
    told = {"status": "failed", "reason": reason, "metrics": None, "history": history or {}}
    return told | {"epochs_run": len(history["epoch"]) if history else 0, "best_epoch": None}

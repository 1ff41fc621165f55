"""Input of all tools: configurations of the space of the default study, prepared digits, epochs and batch size."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from gamtune.config.load import parse_study
from gamtune.search.table import build_table

ROOT = Path(__file__).parents[2]
BATCH_SIZE = 32


def config(draws: int, epochs: int, **changes: Any) -> dict[str, Any]:
    """Return the default study with a number of configurations and epochs.

    It has no early stopping, so that all tools train for the same number of epochs, and no analysis or confirmation,
    because the other tools have none.
    """
    study: dict[str, Any] = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    study |= {"study": "benchmark", "analysis": {"gam": None}}
    study["search"]["draws"] = draws
    study["training"] = {"epochs": epochs, "batch_size": BATCH_SIZE, "early_stopping": None}
    return study | changes


def settings(study: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the complete settings of every configuration, as used by the trials of the workflow."""
    return [row.spec.settings() for row in build_table(parse_study(study, "benchmark"))]


def write_work(folder: Path, draws: int, epochs: int) -> None:
    """Write config.yaml, configurations.json and the arrays, for scripts that do not import this library."""
    from gamtune.config.data_section import Data
    from gamtune.data.arrays import Prepared
    from gamtune.data.prepare import prepare

    study = config(draws, epochs)
    (folder / "config.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    (folder / "configurations.json").write_text(json.dumps(settings(study)))
    prepare(Data.model_validate(study["data"]), folder / "prepared")
    data = Prepared.open(folder / "prepared" / "dataset.json")
    parts = {f"{axis}_{part}": getattr(data.part(part), axis) for part in ("train", "validation") for axis in "xy"}
    np.savez(folder / "digits.npz", **parts)

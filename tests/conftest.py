"""What several tests share: a config to vary and the digits prepared once."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gamtune.config.load import parse_study
from gamtune.config.study import Data, Study
from gamtune.data.prepare import prepare

CONFIG: dict[str, Any] = {
    "study": "small",
    "data": {"source": "digits"},
    "search": {"strategy": "random", "draws": 10, "seed": 1},
    "space": {
        "depth": {"integer": [1, 3]},
        "neurons": {"integer": [8, 32], "per": "depth"},
        "l1": {"uniform": [0, 0.001]},
        "hidden_dropout": {"beta": [1.5, 1], "scale": 0.5, "per": "depth"},
        "rho": {"uniform": [0.9, 0.999]},
    },
}


def changed(config: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A copy with other values at dotted keys; None deletes."""
    config = copy.deepcopy(config)
    for key, value in changes.items():
        *path, last = key.split(".")
        place = config
        for part in path:
            place = place.setdefault(part, {})
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value
    return config


@pytest.fixture
def make_study() -> Callable[..., Study]:
    """A function that gives the small study with changes at dotted keys."""
    return lambda **changes: parse_study(
        changed(CONFIG, {key.replace("__", "."): value for key, value in changes.items()}), "config.yaml"
    )


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """digest.json of the prepared digits."""
    folder = tmp_path_factory.mktemp("digits")
    prepare(Data(source="digits"), folder)
    return folder / "digest.json"

"""A small config and a function that changes it."""

import copy
from typing import Any

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
    """Return a copy with other values at dotted keys; None deletes a key."""
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

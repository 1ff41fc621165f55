"""The number of hidden layers that per-layer draws follow."""

from gamtune.config.study import Study
from gamtune.errors import InputError


def fixed_depth(study: Study) -> int | None:
    """The depth that per-layer draws follow where the space does not draw it.

    Raises
    ------
    InputError
        If a per-layer parameter has no length.
    """
    depth = study.training.settings["depth"]
    for name, distribution in study.space.items():
        if distribution.per and "depth" not in study.space and depth is None:
            raise InputError([f"space.{name}.per: no depth to follow; add depth to space or to training"])
    return None if depth is None else int(depth)

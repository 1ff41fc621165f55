"""Number of hidden layers of configurations whose depth is not drawn."""

from gamtune.config.study import Study
from gamtune.errors import InputError


def fixed_depth(study: Study) -> int | None:
    """Return the number of hidden layers in section ``training``, for spaces without ``depth``; None if it is not set.

    Raises
    ------
    InputError
        If the space has a per-layer hyperparameter and the number of layers is set nowhere.
    """
    depth = study.training.settings["depth"]
    for name, distribution in study.space.items():
        if distribution.per and "depth" not in study.space and depth is None:
            raise InputError([f"space.{name}.per: the number of layers is not set; add `depth` to space or training"])
    return None if depth is None else int(depth)

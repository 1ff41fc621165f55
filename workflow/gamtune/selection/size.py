"""How large a network is, without building it."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from gamtune.spec import Spec

PIECES = {"maxout": 2}  # dense layers a hidden layer has; a test holds it equal to the network's own


def count_weights(spec: Spec, data: Mapping[str, Any]) -> int:
    """Weights and biases of a network of dense layers.

    Parameters
    ----------
    spec : Spec
        Its hidden layers.
    data : mapping
        ``digest.json`` of the data: their inputs, and their classes or none.
    """
    inputs: int = data["inputs"]
    outputs = len(data["classes"]) if data["classes"] else 1
    pieces = PIECES.get(spec.activation, 1)
    hidden = sum(pieces * (before + 1) * after for before, after in pairwise((inputs, *spec.neurons)))
    return hidden + (spec.neurons[-1] + 1) * outputs

"""How large a network is, without building it."""

from itertools import pairwise

from gamtune.results.dataset import DatasetInfo
from gamtune.spec import Spec

PIECES = {"maxout": 2}  # dense layers a hidden layer has; a test holds it equal to the network's own


def count_weights(spec: Spec, data: DatasetInfo) -> int:
    """Weights and biases of a network of dense layers.

    Parameters
    ----------
    spec : Spec
        Its hidden layers.
    data : DatasetInfo
        The data set.
    """
    pieces = PIECES.get(spec.activation, 1)
    hidden = sum(pieces * (before + 1) * after for before, after in pairwise((data.inputs, *spec.neurons)))
    return hidden + (spec.neurons[-1] + 1) * data.outputs

"""The number of weights of a network, without building it."""

from itertools import pairwise

from gamtune.results.dataset import DatasetInfo
from gamtune.spec import Spec

PIECES = {"maxout": 2}  # dense layers per hidden layer; a test compares it with the number of the learner


def count_weights(spec: Spec, data: DatasetInfo) -> int:
    """Return the number of weights and biases of a network of dense layers.

    Parameters
    ----------
    spec : Spec
        The configuration.
    data : DatasetInfo
        The data set, which determines the numbers of inputs and outputs.
    """
    pieces = PIECES.get(spec.activation, 1)
    hidden = sum(pieces * (before + 1) * after for before, after in pairwise((data.inputs, *spec.neurons)))
    return hidden + (spec.neurons[-1] + 1) * data.outputs

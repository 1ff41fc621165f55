"""Designs of points in the unit cube: random, scrambled Sobol sequence, Latin hypercube.

A design has one column per hyperparameter, or per layer of a per-layer hyperparameter. A column depends only on the
seed and on the hyperparameter, so changing the range of another hyperparameter, or adding one, does not change it. In a
random or Sobol design a value depends in addition on the number of its configuration, but not on the total number of
configurations. SciPy scrambles all dimensions of a Sobol sequence from one stream, so that a further hyperparameter
would change every point; the scrambling is therefore implemented here.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from gamtune.config.distributions import FloatArray
from gamtune.spec import fingerprint

# Returns the (draws,) numbers in [0, 1) of a hyperparameter and a layer; the layer is 0 without values per layer
Design = Callable[[str, int], FloatArray]

# The position of a hyperparameter is its dimension of the Sobol sequence. Only append: another order would change the
# draws of existing studies.
SOBOL_SCALARS = (
    "depth", "l1", "l2", "input_dropout", "rho", "epsilon", "learning_rate", "batch_size", "optimizer", "activation",
    "momentum", "beta_1", "beta_2", "epochs", "patience", "min_delta", "threads", "network", "rate_annealing",
    "label_smoothing",
)  # fmt: skip
SOBOL_PER_LAYER = ("neurons", "hidden_dropout")
FIRST_LAYER = 40  # first dimension of the per-layer hyperparameters; those in between are reserved
SOBOL_BITS = 32


def random_design(seed: int, draws: int) -> Design:
    """Return a design of independent random numbers, with one stream per column (NumPy's PCG64)."""
    return lambda name, layer: _stream(seed, name, layer).random(draws)


def latin_hypercube(seed: int, draws: int) -> Design:
    """Return a Latin hypercube: one point in each of ``draws`` equal slices of every column.

    The slices depend on the number of draws, so more draws change every point.

    Source: McKay, Beckman and Conover (1979).
    """

    def column(name: str, layer: int) -> FloatArray:
        stream = _stream(seed, name, layer)
        return (stream.permutation(draws) + stream.random(draws)) / draws

    return column


def sobol(seed: int, draws: int) -> Design:
    """Return a Sobol sequence with Owen scrambling in each dimension.

    Source: Joe and Kuo (2008) for the sequence; Burley (2020, JCGT) for scrambling by a hash.
    """
    points: dict[int, npt.NDArray[np.uint32]] = {}

    def column(name: str, layer: int) -> FloatArray:
        dimension = _sobol_dimension(name, layer)
        if dimension not in points:
            points.update(enumerate(_sobol_points(dimension + 1, draws).T))
        words: npt.NDArray[np.uint32] = _owen_scrambled(
            points[dimension], int(_stream(seed, name, layer).integers(2**32))
        )
        return words / 2.0**SOBOL_BITS

    return column


def _stream(seed: int, name: str, layer: int) -> np.random.Generator:
    return np.random.default_rng([seed if seed >= 0 else seed + 2**32, int(fingerprint(name)[:8], 16), layer])


def _sobol_dimension(name: str, layer: int) -> int:
    if name in SOBOL_SCALARS:
        return SOBOL_SCALARS.index(name)
    return FIRST_LAYER + len(SOBOL_PER_LAYER) * layer + SOBOL_PER_LAYER.index(name)


def _sobol_points(dimensions: int, draws: int) -> npt.NDArray[np.uint32]:
    """Return the first points of the sequence as a (draws, dimensions) array of integers below 2^32."""
    from scipy.stats import qmc  # imported here because the import takes half a second

    sequence = qmc.Sobol(dimensions, scramble=False, bits=SOBOL_BITS)
    points: FloatArray = sequence.random_base2(max(draws - 1, 0).bit_length())[:draws]
    return (points * 2.0**SOBOL_BITS).astype(np.uint32)


def _owen_scrambled(words: npt.NDArray[np.uint32], seed: int) -> npt.NDArray[np.uint32]:
    """Apply nested uniform scrambling: the seed and the higher bits determine whether a bit is flipped."""
    mixed = _reversed_bits(words) + np.uint32(seed)
    for factor in (0x6C50B47C, 0xB82F1E52, 0xC7AFE638, 0x8D22F6E6):
        mixed ^= mixed * np.uint32(factor)
    return _reversed_bits(mixed)


def _reversed_bits(words: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    bits = np.unpackbits(words.astype(">u4").view(np.uint8).reshape(-1, 4), axis=1)
    return np.packbits(bits[:, ::-1], axis=1).reshape(-1).view(">u4").astype(np.uint32)

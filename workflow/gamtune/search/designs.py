"""Where the rows of a table lie in the unit cube: at random, on a scrambled Sobol sequence, in a Latin hypercube.

A design gives each parameter, or each layer of a per-layer one, a column of its own, which depends on the seed and on
that parameter alone: widening a range, or adding a parameter, moves no other. In a random and a Sobol design a value
depends on its row's number besides, not on how many rows there are. The scrambling is own code because SciPy scrambles
all dimensions of a sequence from one stream, so that another parameter would move every point.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from gamtune.config.distributions import FloatArray
from gamtune.spec import digest

# Gives the (draws,) numbers of [0, 1) of a parameter and a layer (0 where it has none)
Design = Callable[[str, int], FloatArray]

# Dimension of the Sobol sequence that a parameter reads. Append only: another order would move every study's rows
SOBOL_SCALARS = (
    "depth", "l1", "l2", "input_dropout", "rho", "epsilon", "learning_rate", "batch_size", "optimizer", "activation",
    "momentum", "beta_1", "beta_2", "epochs", "patience", "min_delta", "threads", "network", "rate_annealing",
    "label_smoothing",
)  # fmt: skip
SOBOL_PER_LAYER = ("neurons", "hidden_dropout")
FIRST_LAYER = 40  # dimension of the first layer's first parameter; those between are for parameters to come
SOBOL_BITS = 32


def random_design(seed: int, draws: int) -> Design:
    """Independent numbers, from a stream a column (numpy's PCG64)."""
    return lambda name, layer: _stream(seed, name, layer).random(draws)


def latin_hypercube(seed: int, draws: int) -> Design:
    """One row in each of ``draws`` equal slices of every parameter (McKay, Beckman and Conover 1979).

    The slices depend on how many rows there are, so more draws move every row.
    """

    def column(name: str, layer: int) -> FloatArray:
        stream = _stream(seed, name, layer)
        return (stream.permutation(draws) + stream.random(draws)) / draws

    return column


def sobol(seed: int, draws: int) -> Design:
    """The Sobol sequence (Joe and Kuo 2008), each dimension scrambled as Owen does (by Burley's hash, JCGT 2020)."""
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
    return np.random.default_rng([seed if seed >= 0 else seed + 2**32, int(digest(name)[:8], 16), layer])


def _sobol_dimension(name: str, layer: int) -> int:
    if name in SOBOL_SCALARS:
        return SOBOL_SCALARS.index(name)
    return FIRST_LAYER + len(SOBOL_PER_LAYER) * layer + SOBOL_PER_LAYER.index(name)


def _sobol_points(dimensions: int, draws: int) -> npt.NDArray[np.uint32]:
    """(draws, dimensions) whole numbers below 2^32."""
    from scipy.stats import qmc  # half a second to import: only studies that need it pay

    sequence = qmc.Sobol(dimensions, scramble=False, bits=SOBOL_BITS)
    points: FloatArray = sequence.random_base2(max(draws - 1, 0).bit_length())[:draws]
    return (points * 2.0**SOBOL_BITS).astype(np.uint32)


def _owen_scrambled(words: npt.NDArray[np.uint32], seed: int) -> npt.NDArray[np.uint32]:
    """Nested uniform scrambling: each bit flips or not as the bits above it, and the seed, decide."""
    mixed = _reversed_bits(words) + np.uint32(seed)
    for factor in (0x6C50B47C, 0xB82F1E52, 0xC7AFE638, 0x8D22F6E6):
        mixed ^= mixed * np.uint32(factor)
    return _reversed_bits(mixed)


def _reversed_bits(words: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    bits = np.unpackbits(words.astype(">u4").view(np.uint8).reshape(-1, 4), axis=1)
    return np.packbits(bits[:, ::-1], axis=1).reshape(-1).view(">u4").astype(np.uint32)

"""R's random numbers, equal to the last bit: Mersenne Twister, both kinds of sampling, rbeta and rnorm.

Source: R 4.2.2, src/main/RNG.c (`set.seed`, `unif_rand`, `R_unif_index`), src/nmath/rbeta.c (Cheng 1978, algorithms BB
and BC), src/nmath/snorm.c and qnorm.c (inversion; Wichura 1988, AS 241). Like R, it uses the logarithm and exponential
of the C library. NumPy's generators return other numbers for the seeds of R, and R may not be installed; therefore the
algorithms are implemented here.
"""

import math
import sys
from collections.abc import Iterator
from typing import Literal

import numpy as np

Sampling = Literal["rounding", "rejection"]

STATE_WORDS = 624
SCRAMBLES = 50  # steps of the linear congruential generator before the state is filled
TO_UNIT = 2.3283064365386963e-10  # 1 / (2^32 - 1), rounded as in R
LOG_OF_LARGEST = sys.float_info.max_exp * math.log(2)


class RStream:
    """Stream of random numbers after ``set.seed(seed, sample.kind = ...)``.

    Parameters
    ----------
    seed : int
        From -2147483647 to 2147483647.
    sampling : {"rounding", "rejection"}
        How ``sample`` draws integers: "rounding" in R before 3.6, "rejection" since then.

    Examples
    --------
    >>> RStream(403, "rounding").runif(0, 1)
    0.4358815473970026
    """

    def __init__(self, seed: int, sampling: Sampling) -> None:
        self._sampling = sampling
        self._unit = _unit_numbers(seed)

    def runif(self, low: float, high: float) -> float:
        """Return ``runif(1, low, high)``."""
        return low + (high - low) * next(self._unit)

    def sample(self, n: int) -> int:
        """Return ``sample.int(n, 1) - 1``."""
        if self._sampling == "rounding":
            return math.floor(n * next(self._unit))
        bits = (n - 1).bit_length()
        while True:
            drawn = 0
            for _ in range(0, bits + 1, 16):
                drawn = 65536 * drawn + math.floor(next(self._unit) * 65536)
            drawn &= (1 << bits) - 1
            if drawn < n:
                return drawn

    def rnorm(self, mean: float, sd: float) -> float:
        """Return ``rnorm(1, mean, sd)`` by inversion, from 27 bits of one uniform number and all bits of another."""
        coarse = 134217728
        u = math.floor(coarse * next(self._unit)) + next(self._unit)
        return mean + sd * _normal_quantile(u / coarse)

    def rbeta(self, a: float, b: float) -> float:
        """Return ``rbeta(1, a, b)``; both shape parameters must be above 0."""
        low, high = min(a, b), max(a, b)
        return self._rbeta_bc(a, low, high) if low <= 1 else self._rbeta_bb(a, low, high)

    def _rbeta_bc(self, first: float, a: float, b: float) -> float:
        """Apply Cheng's algorithm BC: one shape parameter is at most 1."""
        alpha, beta, delta = a + b, 1 / a, 1 + b - a
        k1 = delta * (0.0138889 + 0.0416667 * a) / (b * beta - 0.777778)
        k2 = 0.25 + (0.5 + 0.25 / delta) * a
        while True:
            u1, u2 = next(self._unit), next(self._unit)
            if u1 < 0.5:
                y = u1 * u2
                z = u1 * y
                if 0.25 * u2 + z - y >= k1:
                    continue
            else:
                z = u1 * u1 * u2
                if z <= 0.25:
                    _, w = _odds(u1, beta, b)
                    break
                if z >= k2:
                    continue
            v, w = _odds(u1, beta, b)
            if alpha * (math.log(alpha / (a + w)) + v) - 1.3862944 >= math.log(z):
                break
        return a / (a + w) if first == a else w / (a + w)

    def _rbeta_bb(self, first: float, a: float, b: float) -> float:
        """Apply Cheng's algorithm BB: both shape parameters are above 1."""
        alpha = a + b
        beta = math.sqrt((alpha - 2) / (2 * a * b - alpha))
        gamma = a + 1 / beta
        while True:
            u1, u2 = next(self._unit), next(self._unit)
            v, w = _odds(u1, beta, a)
            z = u1 * u1 * u2
            r = gamma * v - 1.3862944
            s = a + r - w
            if s + 2.609438 >= 5 * z:
                break
            t = math.log(z)
            if s > t or r + alpha * math.log(alpha / (b + w)) >= t:
                break
        return w / (b + w) if first == a else b / (b + w)


def _unit_numbers(seed: int) -> Iterator[float]:
    """Yield the results of ``unif_rand()``: numbers between 0 and 1, both excluded."""
    words = np.empty(STATE_WORDS + 1, np.uint32)
    state = seed % 2**32
    for _ in range(SCRAMBLES):
        state = (69069 * state + 1) % 2**32
    for place in range(len(words)):
        state = (69069 * state + 1) % 2**32
        words[place] = state
    twister = np.random.MT19937()
    # The first word is R's position in the state, which R sets to the end, so that the next number renews the state
    twister.state = {"bit_generator": "MT19937", "state": {"key": words[1:], "pos": STATE_WORDS}}
    smallest = 0.5 * TO_UNIT
    while True:
        for raw in twister.random_raw(64).tolist():
            yield min(max(raw * TO_UNIT, smallest), 1 - smallest)


def _odds(u: float, beta: float, factor: float) -> tuple[float, float]:
    """Return v and w of Cheng's algorithms for a uniform number."""
    v = beta * math.log(u / (1 - u))
    return v, factor * math.exp(v) if v <= LOG_OF_LARGEST else sys.float_info.max


# Coefficients of Wichura's rational approximations (numerator, denominator), highest power first
CENTRE = (
    (2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457,
     13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.387132872796366608),
    (5226.495278852854561, 28729.085735721942674, 39307.89580009271061, 21213.794301586595867,
     5394.1960214247511077, 687.1870074920579083, 42.313330701600911252, 1.0),
)  # fmt: skip
MIDDLE = (
    (7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177, 1.27045825245236838258,
     3.64784832476320460504, 5.7694972214606914055, 4.6303378461565452959, 1.42343711074968357734),
    (1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966, 0.14810397642748007459,
     0.68976733498510000455, 1.6763848301838038494, 2.05319162663775882187, 1.0),
)  # fmt: skip
TAIL = (
    (2.01033439929228813265e-7, 2.71155556874348757815e-5, 0.0012426609473880784386, 0.026532189526576123093,
     0.29656057182850489123, 1.7848265399172913358, 5.4637849111641143699, 6.6579046435011037772),
    (2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5, 7.868691311456132591e-4,
     0.0148753612908506148525, 0.13692988092273580531, 0.59983220655588793769, 1.0),
)  # fmt: skip


def _normal_quantile(p: float) -> float:
    """Return ``qnorm(p)``."""
    q = p - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        return q * _polynomial(CENTRE[0], r) / _polynomial(CENTRE[1], r)
    r = math.sqrt(-math.log(p if q < 0 else 0.5 - q))
    (numerator, denominator), r = (MIDDLE, r - 1.6) if r <= 5 else (TAIL, r - 5)
    value = _polynomial(numerator, r) / _polynomial(denominator, r)
    return -value if q < 0 else value


def _polynomial(coefficients: tuple[float, ...], x: float) -> float:
    """Evaluate a polynomial by Horner's rule, in the same order of operations as R."""
    value = coefficients[0]
    for coefficient in coefficients[1:]:
        value = value * x + coefficient
    return value

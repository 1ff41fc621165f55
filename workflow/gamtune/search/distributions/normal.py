"""The normal distribution, which may be truncated.

SciPy's special functions are imported where they are used, because the import takes 0.3 s.
"""

import math
from typing import Any, Self

import numpy as np
from pydantic import Field, field_validator, model_validator

from gamtune.config.distributions import Distribution, FloatArray, Pair, RGenerator, ordered
from gamtune.errors import InvalidValue
from gamtune.numbers import compact
from gamtune.search.distributions.rounding import clipped, rounded

FAR = 30.0  # standard deviations; a range beyond may contain only one number of 6 significant digits


class Normal(Distribution):
    """Normal distribution, which may be truncated."""

    normal: Pair = Field(description="Mean and standard deviation.", examples=[(0.95, 0.02)])
    min: float | None = Field(None, description="Lower end at which the distribution is truncated. By default none.")
    max: float | None = Field(None, description="Upper end at which the distribution is truncated. By default none.")

    @field_validator("normal")
    @classmethod
    def _check(cls, pair: Pair) -> Pair:
        if pair[1] <= 0:
            raise InvalidValue("the standard deviation must be above 0")
        return pair

    @model_validator(mode="after")
    def _check_cut(self) -> Self:
        if self.min is not None and self.max is not None:
            ordered((self.min, self.max))
        if self._ends()[0] > FAR or self._ends()[1] < -FAR:
            first, last = self.quantile(np.array([0.01, 0.99]))
            if not first < last:
                raise InvalidValue("min and max are so far from the mean that all draws are equal")
        return self

    def _ends(self) -> Pair:
        """Return the support in standard deviations from the mean."""
        mean, sd = self.normal
        low, high = self.support
        return (low - mean) / sd, (high - mean) / sd

    def quantile(self, u: FloatArray) -> list[float]:  # noqa: D102
        from scipy.special import ndtr, ndtri

        mean, sd = self.normal
        low, high = self._ends()
        if low > 0:  # mirrored into the lower tail, where float64 resolves small probabilities
            return rounded(mean - sd * _lower_tail_quantile(1 - u, -high, -low), self.support)
        if high < 0:
            return rounded(mean + sd * _lower_tail_quantile(u, low, high), self.support)
        below, above = ndtr(low), ndtr(high)
        inside = np.clip(below + u * (above - below), np.finfo(float).tiny, 1 - np.finfo(float).epsneg)
        return rounded(mean + sd * ndtri(inside), self.support)

    def unit(self, value: Any) -> float:  # noqa: D102
        from scipy.special import ndtr

        mean, sd = self.normal
        low, high = self._ends()
        at = min(max((float(value) - mean) / sd, low), high)
        if low > 0:
            return clipped(1 - _lower_tail_share(-at, -high, -low))
        if high < 0:
            return clipped(_lower_tail_share(at, low, high))
        below, above = float(ndtr(low)), float(ndtr(high))
        return clipped((float(ndtr(at)) - below) / (above - below))

    def draw_as_r(self, generator: RGenerator) -> float:
        """Return ``rnorm(1, mean, sd)``."""
        return generator.rnorm(*self.normal)

    def check_draws_as_r(self) -> None:  # noqa: D102
        if not (self.min is self.max is None):
            raise InvalidValue("min and max are not valid for R's generators")

    @property
    def support(self) -> Pair:  # noqa: D102
        return (-math.inf if self.min is None else self.min, math.inf if self.max is None else self.max)

    def describe(self) -> str:  # noqa: D102
        mean, sd = self.normal
        return f"normal, mean {compact(mean)}, standard deviation {compact(sd)}"


def _lower_tail_quantile(u: FloatArray, low: float, high: float) -> FloatArray:
    """Return quantiles of a standard normal distribution between two ends below 0, from log-probabilities."""
    from scipy.special import log_ndtr, ndtri_exp

    with np.errstate(divide="ignore"):  # log 0 is -inf
        inside = np.log(np.maximum(u, np.finfo(float).tiny)) + _log_difference(log_ndtr(high), log_ndtr(low))
        return np.asarray(ndtri_exp(np.logaddexp(log_ndtr(low), inside)))


def _lower_tail_share(at: float, low: float, high: float) -> float:
    """Return the share of the probability between two ends below 0 that lies below ``at``."""
    from scipy.special import log_ndtr

    lowest, here, highest = (float(log_ndtr(x)) for x in (low, at, high))
    if here <= lowest:
        return 0.0
    return math.exp(_log_difference(here, lowest) - _log_difference(highest, lowest))


def _log_difference(larger: float, smaller: float) -> float:
    """Return the logarithm of the difference of two numbers that are given by their logarithms."""
    return larger + math.log1p(-math.exp(smaller - larger)) if smaller < larger else -math.inf

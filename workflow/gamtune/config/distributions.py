"""Distributions of hyper-parameters: each knows its quantile function and its support, and nothing about strategies.

A strategy hands in numbers of the unit interval, a distribution maps them to its prior; so every strategy keeps it.
"""

import math
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal, Protocol, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, field_validator, model_validator

from gamtune.config.section import Section

FloatArray = npt.NDArray[np.float64]
Pair = tuple[float, float]
Whole = Annotated[int, Field(ge=-(10**18), le=10**18)]
Scalar = bool | int | float | str
# What stands in a choice: a value, or a whole per-layer vector
Level = Scalar | list[int] | list[float]

# Draws are kept to 6 significant digits: readable in a table, and the same on machines whose libraries differ in the
# last bits, so that ids do not depend on where a table was made
SIGNIFICANT_DIGITS = 6
FAR = 30.0  # standard deviations: a range beyond may hold one number of so many digits only
SHAPES = (1e-6, 1e9)  # of a beta distribution, between which SciPy's quantiles are exact to 6 digits


class RGenerator(Protocol):
    """R's functions of the same names; each draw moves on in one stream."""

    def runif(self, low: float, high: float) -> float:
        """``runif(1, low, high)``."""

    def rnorm(self, mean: float, sd: float) -> float:
        """``rnorm(1, mean, sd)``."""

    def rbeta(self, a: float, b: float) -> float:
        """``rbeta(1, a, b)``."""

    def sample(self, n: int) -> int:
        """``sample.int(n, 1) - 1``."""


class Distribution(Section):
    """What a hyper-parameter's values are drawn from."""

    logarithmic: ClassVar[bool] = False  # spans orders of magnitude: figures draw it on a log axis

    per: Literal["depth"] | None = Field(None, description="one value for each of so many hidden layers")
    when: dict[str, Scalar | list[Scalar]] | None = Field(
        None,
        description="drawn only in rows where the named parameter has (one of) these values",
        examples=[{"optimizer": "adadelta"}],
    )

    def quantile(self, u: FloatArray) -> list[Any]:
        """Map numbers of [0, 1) to the prior, as builtin types."""
        raise TypeError(f"{type(self).__name__} has no quantile function")

    def unit(self, value: Any) -> float:
        """The number of [0, 1] that `quantile` maps to the value; of the many for a discrete one, the middle.

        Values that lie outside the support have the number of its nearest end.
        """
        raise TypeError(f"{type(self).__name__} has no distribution function")

    def draw_as_r(self, generator: RGenerator) -> Any:
        """One value as R draws it, to the last bit; what has one value only takes nothing from the stream."""
        raise TypeError(f"{type(self).__name__} is nothing that R draws")

    @property
    def support(self) -> tuple[float, float]:
        """Smallest and largest value; infinite where there is none."""
        raise TypeError(f"{type(self).__name__} has no numeric support")

    @property
    def levels(self) -> Sequence[Any] | None:
        """All its values where they can be listed (a grid needs them), otherwise None."""
        return None


def _rounded(values: FloatArray, support: Pair) -> list[float]:
    low, high = support
    return [min(max(float(f"{value:.{SIGNIFICANT_DIGITS}g}"), low), high) for value in values]


def _clipped(u: float) -> float:
    return min(max(u, 0.0), 1.0)


def _ordered(pair: Pair) -> Pair:
    if not pair[0] < pair[1]:
        raise ValueError("the low end must be below the high end")
    return pair


class Integer(Distribution):
    """Whole numbers from low to high, both included, equally likely."""

    integer: tuple[Whole, Whole] = Field(description="low and high", examples=[(1, 5)])

    @field_validator("integer")
    @classmethod
    def _check(cls, pair: tuple[int, int]) -> tuple[int, int]:
        if pair[0] > pair[1]:
            raise ValueError("the low end must not be above the high end")
        return pair

    def quantile(self, u: FloatArray) -> list[int]:  # noqa: D102
        low, high = self.integer
        return [int(value) for value in np.floor(low + u * (high - low + 1))]

    def unit(self, value: Any) -> float:  # noqa: D102
        low, high = self.integer
        return (min(max(int(value), low), high) - low + 0.5) / (high - low + 1)

    def draw_as_r(self, generator: RGenerator) -> int:
        """``sample(low:high, 1)``."""
        low, high = self.integer
        return low + generator.sample(high - low + 1) if high > low else low

    @property
    def support(self) -> tuple[float, float]:  # noqa: D102
        return self.integer

    @property
    def levels(self) -> Sequence[int]:  # noqa: D102
        return range(self.integer[0], self.integer[1] + 1)


class Uniform(Distribution):
    """Real numbers from low to high, equally likely."""

    uniform: Pair = Field(description="low and high", examples=[(0, 0.01)])

    _check = field_validator("uniform")(_ordered)

    def quantile(self, u: FloatArray) -> list[float]:  # noqa: D102
        low, high = self.uniform
        return _rounded(low + u * (high - low), self.support)

    def unit(self, value: Any) -> float:  # noqa: D102
        low, high = self.uniform
        return _clipped((float(value) - low) / (high - low))

    def draw_as_r(self, generator: RGenerator) -> float:
        """``runif(1, low, high)``."""
        return generator.runif(*self.uniform)

    @property
    def support(self) -> tuple[float, float]:  # noqa: D102
        return self.uniform


class LogUniform(Distribution):
    """Real numbers whose logarithm is uniform: every order of magnitude equally likely."""

    logarithmic: ClassVar[bool] = True

    log_uniform: Pair = Field(description="low and high, both above 0", examples=[(1e-4, 1.0)])

    @field_validator("log_uniform")
    @classmethod
    def _check(cls, pair: Pair) -> Pair:
        if pair[0] <= 0:
            raise ValueError("the low end must be above 0")
        return _ordered(pair)

    def quantile(self, u: FloatArray) -> list[float]:  # noqa: D102
        low, high = np.log(self.log_uniform)
        return _rounded(np.exp(low + u * (high - low)), self.support)

    def unit(self, value: Any) -> float:  # noqa: D102
        low, high = map(math.log, self.log_uniform)
        return _clipped((math.log(value) - low) / (high - low)) if value > 0 else 0.0

    def draw_as_r(self, generator: RGenerator) -> float:
        """``exp(runif(1, log(low), log(high)))``."""
        low, high = map(math.log, self.log_uniform)
        return math.exp(generator.runif(low, high))

    @property
    def support(self) -> tuple[float, float]:  # noqa: D102
        return self.log_uniform


class Normal(Distribution):
    """Normal distribution, cut off at min and max where they are given."""

    normal: Pair = Field(description="mean and standard deviation", examples=[(0.95, 0.02)])
    min: float | None = Field(None, description="smallest value, cut off below")
    max: float | None = Field(None, description="largest value, cut off above")

    @field_validator("normal")
    @classmethod
    def _check(cls, pair: Pair) -> Pair:
        if pair[1] <= 0:
            raise ValueError("the standard deviation must be above 0")
        return pair

    @model_validator(mode="after")
    def _check_cut(self) -> Self:
        if self.min is not None and self.max is not None:
            _ordered((self.min, self.max))
        if self._ends()[0] > FAR or self._ends()[1] < -FAR:
            first, last = self.quantile(np.array([0.01, 0.99]))
            if not first < last:
                raise ValueError("min and max are so far from the mean that all draws are equal")
        return self

    def _ends(self) -> Pair:
        """The support in standard deviations from the mean."""
        mean, sd = self.normal
        low, high = self.support
        return (low - mean) / sd, (high - mean) / sd

    def quantile(self, u: FloatArray) -> list[float]:  # noqa: D102
        from scipy.special import ndtr, ndtri  # a third of a second to import: only studies that draw from it pay

        mean, sd = self.normal
        low, high = self._ends()
        if low > 0:  # the upper tail is the lower one mirrored, whose probabilities floats tell apart
            return _rounded(mean - sd * _lower_tail_quantile(1 - u, -high, -low), self.support)
        if high < 0:
            return _rounded(mean + sd * _lower_tail_quantile(u, low, high), self.support)
        below, above = ndtr(low), ndtr(high)
        inside = np.clip(below + u * (above - below), np.finfo(float).tiny, 1 - np.finfo(float).epsneg)
        return _rounded(mean + sd * ndtri(inside), self.support)

    def unit(self, value: Any) -> float:  # noqa: D102
        from scipy.special import ndtr  # see quantile

        mean, sd = self.normal
        low, high = self._ends()
        at = min(max((float(value) - mean) / sd, low), high)
        if low > 0:
            return _clipped(1 - _lower_tail_share(-at, -high, -low))
        if high < 0:
            return _clipped(_lower_tail_share(at, low, high))
        below, above = float(ndtr(low)), float(ndtr(high))
        return _clipped((float(ndtr(at)) - below) / (above - below))

    def draw_as_r(self, generator: RGenerator) -> float:
        """``rnorm(1, mean, sd)``; config.space_section refuses min and max, which R has nothing for."""
        return generator.rnorm(*self.normal)

    @property
    def support(self) -> tuple[float, float]:  # noqa: D102
        return (-math.inf if self.min is None else self.min, math.inf if self.max is None else self.max)


def _lower_tail_quantile(u: FloatArray, low: float, high: float) -> FloatArray:
    """Quantiles of a standard normal distribution between two ends below 0, from logarithms of its probabilities."""
    from scipy.special import log_ndtr, ndtri_exp  # see Normal

    with np.errstate(divide="ignore"):  # log 0 is -inf
        inside = np.log(np.maximum(u, np.finfo(float).tiny)) + _log_difference(log_ndtr(high), log_ndtr(low))
        return np.asarray(ndtri_exp(np.logaddexp(log_ndtr(low), inside)))


def _lower_tail_share(at: float, low: float, high: float) -> float:
    """Share of the probability between two ends below 0 that lies below ``at``."""
    from scipy.special import log_ndtr  # see Normal

    lowest, here, highest = (float(log_ndtr(x)) for x in (low, at, high))
    if here <= lowest:
        return 0.0
    return math.exp(_log_difference(here, lowest) - _log_difference(highest, lowest))


def _log_difference(larger: float, smaller: float) -> float:
    """Logarithm of the difference of two numbers that are given by their logarithms."""
    return larger + math.log1p(-math.exp(smaller - larger)) if smaller < larger else -math.inf


class Beta(Distribution):
    """Beta(a, b) on [0, scale]."""

    beta: Pair = Field(description="shape parameters a and b", examples=[(1, 12)])
    scale: Annotated[float, Field(gt=0)] = Field(1.0, description="upper end of the range")

    @field_validator("beta")
    @classmethod
    def _check(cls, pair: Pair) -> Pair:
        for place, shape in zip(("first", "second"), pair, strict=True):
            if shape <= 0:
                raise ValueError(f"the {place} shape must be above 0")
            if not SHAPES[0] <= shape <= SHAPES[1]:
                raise ValueError(f"the {place} shape must be from {SHAPES[0]:g} to {SHAPES[1]:g}")
        return pair

    def quantile(self, u: FloatArray) -> list[float]:
        """Map the unit interval to the prior: what Sobol, TPE and GP search in."""
        from scipy.special import betaincinv  # see Normal

        return _rounded(self.scale * betaincinv(*self.beta, u), self.support)

    def unit(self, value: Any) -> float:  # noqa: D102
        from scipy.special import betainc  # see Normal

        return float(betainc(*self.beta, _clipped(value / self.scale)))

    def draw_as_r(self, generator: RGenerator) -> float:
        """``scale * rbeta(1, a, b)``."""
        return self.scale * generator.rbeta(*self.beta)

    @property
    def support(self) -> tuple[float, float]:  # noqa: D102
        return (0.0, self.scale)


class Choice(Distribution):
    """One of the listed values, equally likely. A list alone in the YAML means this; a value alone, only that value."""

    choice: list[Level] = Field(description="the values; each may be a whole per-layer vector", min_length=1)

    @field_validator("choice")
    @classmethod
    def _check(cls, values: list[Level]) -> list[Level]:
        seen = set()
        for value in values:
            key = tuple(value) if isinstance(value, list) else value
            if key in seen:
                raise ValueError(f"{value!r} is listed twice")
            seen.add(key)
        return values

    def quantile(self, u: FloatArray) -> list[Any]:  # noqa: D102
        return [self.choice[int(place)] for place in np.floor(u * len(self.choice))]

    def unit(self, value: Any) -> float:
        """A value that is not listed has that of the first one."""
        place = self.choice.index(value) if value in self.choice else 0
        return (place + 0.5) / len(self.choice)

    def draw_as_r(self, generator: RGenerator) -> Any:
        """``sample(choice, 1)``."""
        return self.choice[generator.sample(len(self.choice)) if len(self.choice) > 1 else 0]

    @property
    def support(self) -> tuple[float, float]:  # noqa: D102
        numbers = [value for value in self.choice if isinstance(value, int | float)]
        return (min(numbers), max(numbers)) if numbers else (-math.inf, math.inf)

    @property
    def levels(self) -> Sequence[Any]:  # noqa: D102
        return self.choice


DISTRIBUTIONS: dict[str, type[Distribution]] = {
    "integer": Integer,
    "uniform": Uniform,
    "log_uniform": LogUniform,
    "normal": Normal,
    "beta": Beta,
    "choice": Choice,
}

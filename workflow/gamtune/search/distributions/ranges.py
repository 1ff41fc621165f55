"""Uniform distributions of whole numbers, real numbers and logarithms."""

import math
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field, field_validator

from gamtune.config.distributions import Distribution, FloatArray, Pair, RGenerator, ordered
from gamtune.errors import InvalidValue
from gamtune.search.distributions.rounding import clipped, rounded

Whole = Annotated[int, Field(ge=-(10**18), le=10**18)]


class Integer(Distribution):
    """Whole numbers from low to high, both included, equally likely."""

    whole: ClassVar[bool] = True

    integer: tuple[Whole, Whole] = Field(description="Lowest and highest value, both included.", examples=[(1, 5)])

    @field_validator("integer")
    @classmethod
    def _check(cls, pair: tuple[int, int]) -> tuple[int, int]:
        if pair[0] > pair[1]:
            raise InvalidValue("the low end must not be above the high end")
        return pair

    def quantile(self, u: FloatArray) -> list[int]:  # noqa: D102
        low, high = self.integer
        return [int(value) for value in np.floor(low + u * (high - low + 1))]

    def unit(self, value: Any) -> float:  # noqa: D102
        low, high = self.integer
        return (min(max(int(value), low), high) - low + 0.5) / (high - low + 1)

    def draw_as_r(self, generator: RGenerator) -> int:
        """Return ``sample(low:high, 1)``."""
        low, high = self.integer
        return low + generator.sample(high - low + 1) if high > low else low

    @property
    def support(self) -> tuple[int, int]:  # noqa: D102
        return self.integer

    @property
    def levels(self) -> Sequence[int]:  # noqa: D102
        return range(self.integer[0], self.integer[1] + 1)

    def describe(self) -> str:  # noqa: D102
        return "whole numbers, equally likely"


class Uniform(Distribution):
    """Real numbers from low to high, equally likely."""

    uniform: Pair = Field(description="Lower and upper end.", examples=[(0, 0.01)])

    _check = field_validator("uniform")(ordered)

    def quantile(self, u: FloatArray) -> list[float]:  # noqa: D102
        low, high = self.uniform
        return rounded(low + u * (high - low), self.support)

    def unit(self, value: Any) -> float:  # noqa: D102
        low, high = self.uniform
        return clipped((float(value) - low) / (high - low))

    def draw_as_r(self, generator: RGenerator) -> float:
        """Return ``runif(1, low, high)``."""
        return generator.runif(*self.uniform)

    @property
    def support(self) -> Pair:  # noqa: D102
        return self.uniform

    def describe(self) -> str:  # noqa: D102
        return "uniform"


class LogUniform(Distribution):
    """Real numbers whose logarithm is uniform: all orders of magnitude are equally likely."""

    logarithmic: ClassVar[bool] = True

    log_uniform: Pair = Field(description="Lower and upper end, both above 0.", examples=[(1e-4, 1.0)])

    @field_validator("log_uniform")
    @classmethod
    def _check(cls, pair: Pair) -> Pair:
        if pair[0] <= 0:
            raise InvalidValue("the low end must be above 0")
        return ordered(pair)

    def quantile(self, u: FloatArray) -> list[float]:  # noqa: D102
        low, high = np.log(self.log_uniform)
        return rounded(np.exp(low + u * (high - low)), self.support)

    def unit(self, value: Any) -> float:  # noqa: D102
        low, high = map(math.log, self.log_uniform)
        return clipped((math.log(value) - low) / (high - low)) if value > 0 else 0.0

    def draw_as_r(self, generator: RGenerator) -> float:
        """Return ``exp(runif(1, log(low), log(high)))``."""
        low, high = map(math.log, self.log_uniform)
        return math.exp(generator.runif(low, high))

    @property
    def support(self) -> Pair:  # noqa: D102
        return self.log_uniform

    def describe(self) -> str:  # noqa: D102
        return "log-uniform: all orders of magnitude equally likely"

"""A choice among listed values."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import Field, field_validator

from gamtune.config.distributions import Distribution, FloatArray, Pair, RGenerator, Scalar
from gamtune.errors import InvalidValue
from gamtune.numbers import compact

Level = Scalar | list[int] | list[float]  # one value, or a list with one value per layer


class Choice(Distribution):
    """One of the listed values, equally likely.

    In a config, a list without the name of a distribution is a choice, and a single value is a choice of one value.
    """

    choice: list[Level] = Field(
        description="Values to choose from. Each may be a list with one value per layer.", min_length=1
    )

    @field_validator("choice")
    @classmethod
    def _check(cls, values: list[Level]) -> list[Level]:
        seen = set()
        for value in values:
            key = tuple(value) if isinstance(value, list) else value
            if key in seen:
                raise InvalidValue(f"{value!r} is listed twice")
            seen.add(key)
        return values

    def quantile(self, u: FloatArray) -> list[Any]:  # noqa: D102
        return [self.choice[int(index)] for index in np.floor(u * len(self.choice))]

    def unit(self, value: Any) -> float:
        """Return the probability that `quantile` maps to a value, or to the first value if it is not listed."""
        index = self.choice.index(value) if value in self.choice else 0
        return (index + 0.5) / len(self.choice)

    def draw_as_r(self, generator: RGenerator) -> Any:
        """Return ``sample(choice, 1)``."""
        return self.choice[generator.sample(len(self.choice)) if len(self.choice) > 1 else 0]

    @property
    def support(self) -> Pair:  # noqa: D102
        numbers = [value for value in self.choice if isinstance(value, int | float)]
        return (min(numbers), max(numbers)) if numbers else (-math.inf, math.inf)

    @property
    def choices(self) -> Sequence[Any]:  # noqa: D102
        return self.choice

    def describe(self) -> str:  # noqa: D102
        return "fixed" if len(self.choice) == 1 else "one of these values, equally likely"

    def describe_range(self) -> str:  # noqa: D102
        return ", ".join(map(compact, self.choice))

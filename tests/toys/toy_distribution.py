"""A distribution of another package: triangular, with the mode in the middle of the range."""

from typing import Any

import numpy as np
from pydantic import Field, field_validator

from gamtune.config.distributions import Distribution, FloatArray, Pair, ordered
from gamtune.search.distributions.rounding import clipped, rounded


class Triangular(Distribution):
    """Real numbers from low to high, those in the middle most likely."""

    triangular: Pair = Field(description="Lower and upper end.")

    _check = field_validator("triangular")(ordered)

    def quantile(self, u: FloatArray) -> list[float]:
        low, high = self.triangular
        share = np.where(u < 0.5, np.sqrt(u / 2), 1 - np.sqrt((1 - u) / 2))
        return rounded(low + share * (high - low), self.support)

    def unit(self, value: Any) -> float:
        low, high = self.triangular
        share = clipped((float(value) - low) / (high - low))
        return 2 * share**2 if share < 0.5 else 1 - 2 * (1 - share) ** 2

    @property
    def support(self) -> Pair:
        return self.triangular

    def describe(self) -> str:
        return "triangular, most likely in the middle"

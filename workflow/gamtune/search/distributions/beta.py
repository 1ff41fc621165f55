"""The beta distribution."""

from typing import Annotated, Any

from pydantic import Field, field_validator

from gamtune.config.distributions import Distribution, FloatArray, Pair, RGenerator
from gamtune.errors import InvalidValue
from gamtune.numbers import compact
from gamtune.search.distributions.rounding import clipped, rounded

SHAPES = (1e-6, 1e9)  # between these shape parameters, SciPy's quantiles are exact to 6 digits


class Beta(Distribution):
    """Beta distribution with the shape parameters a and b, on the range from 0 to scale."""

    beta: Pair = Field(description="Shape parameters a and b.", examples=[(1, 12)])
    scale: Annotated[float, Field(gt=0)] = Field(1.0, description="Upper end of the range.")

    @field_validator("beta")
    @classmethod
    def _check(cls, pair: Pair) -> Pair:
        for position, shape in zip(("first", "second"), pair, strict=True):
            if shape <= 0:
                raise InvalidValue(f"the {position} shape must be above 0")
            if not SHAPES[0] <= shape <= SHAPES[1]:
                raise InvalidValue(f"the {position} shape must be from {SHAPES[0]:g} to {SHAPES[1]:g}")
        return pair

    def quantile(self, u: FloatArray) -> list[float]:  # noqa: D102
        from scipy.special import betaincinv  # imported here because the import takes 0.3 s

        return rounded(self.scale * betaincinv(*self.beta, u), self.support)

    def unit(self, value: Any) -> float:  # noqa: D102
        from scipy.special import betainc  # see quantile

        return float(betainc(*self.beta, clipped(value / self.scale)))

    def draw_as_r(self, generator: RGenerator) -> float:
        """Return ``scale * rbeta(1, a, b)``."""
        return self.scale * generator.rbeta(*self.beta)

    @property
    def support(self) -> Pair:  # noqa: D102
        return (0.0, self.scale)

    def describe(self) -> str:  # noqa: D102
        a, b = self.beta
        return f"beta({compact(a)}, {compact(b)}), mean {compact(self.scale * a / (a + b), 2)}"

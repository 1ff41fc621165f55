"""Base class and registry of the distributions of hyperparameters.

A search strategy chooses numbers in the unit interval, and the quantile function of a distribution maps them to values.
Every strategy therefore respects every prior.
"""

import math
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import Field

from gamtune.config.section import Section
from gamtune.errors import InvalidValue
from gamtune.numbers import compact
from gamtune.registry import Registry

FloatArray = npt.NDArray[np.float64]
Pair = tuple[float, float]
Scalar = bool | int | float | str

DISTRIBUTIONS = Registry(
    "gamtune.distributions",
    {
        "integer": "gamtune.search.distributions.ranges:Integer",
        "uniform": "gamtune.search.distributions.ranges:Uniform",
        "log_uniform": "gamtune.search.distributions.ranges:LogUniform",
        "normal": "gamtune.search.distributions.normal:Normal",
        "beta": "gamtune.search.distributions.beta:Beta",
        "choice": "gamtune.search.distributions.choice:Choice",
    },
)


class RGenerator(Protocol):
    """A stream of random numbers with R's functions of the same names."""

    def runif(self, low: float, high: float) -> float:
        """Return ``runif(1, low, high)``."""

    def rnorm(self, mean: float, sd: float) -> float:
        """Return ``rnorm(1, mean, sd)``."""

    def rbeta(self, a: float, b: float) -> float:
        """Return ``rbeta(1, a, b)``."""

    def sample(self, n: int) -> int:
        """Return ``sample.int(n, 1) - 1``."""


class Distribution(Section):
    """The distribution from which the values of a hyperparameter are drawn.

    A subclass is a pydantic model. Its first field has the name by which configs use the distribution, which is also
    its name in the registry; further fields are optional keys beside it.

    Attributes
    ----------
    logarithmic : bool
        Whether the values span orders of magnitude, so that figures show them on a logarithmic axis.
    whole : bool
        Whether all values are whole numbers, which hyperparameters such as ``depth`` require.
    """

    logarithmic: ClassVar[bool] = False
    whole: ClassVar[bool] = False

    per: Literal["depth"] | None = Field(None, description="Set to depth to draw one value per hidden layer.")
    when: dict[str, Scalar | list[Scalar]] | None = Field(
        None,
        description="Conditions: the hyperparameter is drawn only if each hyperparameter that is listed here has this "
        "value, or one of these values.",
        examples=[{"optimizer": "adadelta"}],
    )

    @property
    def name(self) -> str:
        """Name of the distribution in a config and in the registry."""
        return next(key for key in type(self).model_fields if key not in Distribution.model_fields)

    def quantile(self, u: FloatArray) -> list[Any]:
        """Return the quantiles of probabilities, as values of builtin types.

        Parameters
        ----------
        u : (n,) float64
            Probabilities from 0 to (excluding) 1.
        """
        raise NotImplementedError

    def unit(self, value: Any) -> float:
        """Return the probability from 0 to 1 that `quantile` maps to a value.

        For a value that many probabilities map to, it is the middle of them; for a value outside the support, it is
        the probability of the nearest end.
        """
        raise NotImplementedError

    def draw_as_r(self, generator: RGenerator) -> Any:
        """Return one value, equal to R's draw to the last bit.

        A distribution with a single value does not advance the generator.
        """
        raise NotImplementedError

    def check_draws_as_r(self) -> None:
        """Check that `draw_as_r` can draw from this distribution.

        Raises
        ------
        InvalidValue
            If it cannot.
        """
        if type(self).draw_as_r is Distribution.draw_as_r:
            raise InvalidValue(f"distribution {self.name!r} is not valid for R's generator; use generator: numpy")

    @property
    def support(self) -> Pair:
        """Smallest and largest number that can be drawn; infinite on a side without a bound."""
        raise NotImplementedError

    @property
    def levels(self) -> Sequence[Any] | None:
        """All values, for a grid; None if they cannot be listed."""
        return self.choices

    @property
    def choices(self) -> Sequence[Any] | None:
        """Values as listed in the config: numbers, text or per-layer vectors; None for a range of numbers."""
        return None

    def describe(self) -> str:
        """Return the distribution in words, without its range, for the report."""
        raise NotImplementedError

    def describe_range(self) -> str:
        """Return the range of the values in words, for the report."""
        low, high = self.support
        if math.isfinite(low) and math.isfinite(high):
            return f"{compact(low)} to {compact(high)}"
        if math.isfinite(low):
            return f"from {compact(low)}"
        return f"to {compact(high)}" if math.isfinite(high) else "unbounded"


def ordered(pair: Pair) -> Pair:
    """Return the ends of a range.

    Raises
    ------
    InvalidValue
        If the low end is not below the high end.
    """
    if not pair[0] < pair[1]:
        raise InvalidValue("the low end must be below the high end")
    return pair

"""Strategies that draw all configurations before any is trained."""

from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from gamtune.config.search import Search
from gamtune.config.section import LARGEST_SEED
from gamtune.config.study import Study
from gamtune.errors import InvalidValue
from gamtune.search.depth import fixed_depth
from gamtune.search.designs import Design, latin_hypercube, random_design, sobol
from gamtune.search.draws import drawn_rows, seeded_rows

MAX_CONFIGURATIONS = 100_000
LARGEST_R_SEED = 2**31 - 1  # -2^31 is R's NA; the same limits hold for NumPy's generator


class Drawing(Search):
    """Draw the initial configurations from the space."""

    draws: int | None = Field(
        None,
        ge=1,
        le=MAX_CONFIGURATIONS,
        description="Number of configurations; for tpe and gp, those before the first round.",
    )
    seed: int = Field(
        1,
        ge=0,
        le=LARGEST_SEED,
        description="Random seed of the draws, from 0 to 4294967295. Configuration i depends only on the seed and i, "
        "so that more draws leave the earlier ones unchanged (except for latin_hypercube).",
    )

    @model_validator(mode="after")
    def _check_section(self) -> Self:
        self._check_draws()
        return self

    def _check_draws(self) -> None:
        if self.draws is None:
            raise InvalidValue(f"draws: missing; the strategy {self.strategy!r} needs a number of configurations")

    def design(self, draws: int) -> Design:
        """Return the positions of the configurations in the unit cube."""
        return random_design(self.seed, draws)

    def configurations(self, study: Study) -> Iterator[tuple[str, dict[str, Any]]]:  # noqa: D102
        draws = int(self.draws or 0)
        rows = drawn_rows(study.space, draws, self.design(draws), fixed_depth(study))
        for number, settings in enumerate(rows, start=1):
            yield f"{self.strategy}_{number:03d}", settings

    def describe(self) -> str:  # noqa: D102
        return f"{self.draws} configurations drawn at random (seed {self.seed})"


class Random(Drawing):
    """Draw configurations independently; optionally with one seed per configuration, as R does."""

    strategy: Literal["random"] = Field(description="Independent random draws.")
    seeds: list[Annotated[int, Field(ge=-LARGEST_R_SEED, le=LARGEST_R_SEED)]] | None = Field(
        None,
        min_length=1,
        max_length=MAX_CONFIGURATIONS,
        description="Random seeds from -2147483647 to 2147483647, one per configuration, which is named m_<seed>. They "
        "replace draws.",
        examples=[[403, 10, -753102721]],
    )
    generator: Literal["numpy", "R-rounding", "R-rejection"] | None = Field(
        None,
        description="Random number generator that is used with seeds. By default numpy. R-rounding: the generator of R "
        "before 3.6. R-rejection: the generator of R since 3.6. R's generators call set.seed and draw the "
        "hyperparameters in the order of the space, those with one value per layer last.",
    )

    def _check_draws(self) -> None:
        if self.seeds is None:
            if self.generator not in (None, "numpy"):
                raise InvalidValue(f"seeds: missing; the generator {self.generator!r} draws one configuration per seed")
            super()._check_draws()
            return
        if self.draws is not None:
            raise InvalidValue("seeds: not valid together with draws; there is one configuration per seed")
        for seed, times in Counter(self.seeds).items():
            if times > 1:
                raise InvalidValue(f"seeds: {seed} is listed twice")

    def check_study(self, study: Study) -> None:  # noqa: D102
        if self.generator in (None, "numpy"):
            return
        for name, distribution in study.space.items():
            try:
                distribution.check_draws_as_r()
            except InvalidValue as error:
                raise InvalidValue(f"space.{name}: {error}") from None

    def configurations(self, study: Study) -> Iterator[tuple[str, dict[str, Any]]]:  # noqa: D102
        if self.seeds is None:
            yield from super().configurations(study)
            return
        rows = seeded_rows(study.space, self.seeds, self.generator or "numpy", fixed_depth(study))
        yield from zip((f"m_{seed}" for seed in self.seeds), rows, strict=True)

    def describe(self) -> str:  # noqa: D102
        return f"one configuration for each of {len(self.seeds)} seeds" if self.seeds else super().describe()


class Sobol(Drawing):
    """Draw configurations from a scrambled Sobol sequence, which fills the space evenly."""

    strategy: Literal["sobol"] = Field(description="A scrambled Sobol sequence, which fills the space evenly.")

    def design(self, draws: int) -> Design:  # noqa: D102
        return sobol(self.seed, draws)

    def describe(self) -> str:  # noqa: D102
        return f"{self.draws} configurations from a scrambled Sobol sequence (seed {self.seed})"


class LatinHypercube(Drawing):
    """Draw configurations from a Latin hypercube, which fills the range of each hyperparameter evenly."""

    strategy: Literal["latin_hypercube"] = Field(
        description="A Latin hypercube, which fills the range of each hyperparameter evenly."
    )

    def design(self, draws: int) -> Design:  # noqa: D102
        return latin_hypercube(self.seed, draws)

    def describe(self) -> str:  # noqa: D102
        return f"{self.draws} configurations from a Latin hypercube (seed {self.seed})"

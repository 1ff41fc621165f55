"""Strategies without random draws: listed configurations, and a grid of listed values."""

from collections.abc import Iterator
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from gamtune.config.search import Search
from gamtune.config.study import Study
from gamtune.errors import InvalidValue
from gamtune.search.grid import grid_rows


class Manual(Search):
    """Train only the configurations that the user lists."""

    needs_space: ClassVar[bool] = False
    strategy: Literal["manual"] = Field(
        description="Only the configurations listed in rows, and those kept from other studies."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not (self.rows or self.keep):
            raise InvalidValue("rows: missing; the strategy 'manual' needs a list of configurations or a CSV file")
        return self

    def describe(self) -> str:  # noqa: D102
        return "configurations listed in the config"


class Grid(Search):
    """Train every combination of the values in the space, in the order of R's ``expand.grid``."""

    strategy: Literal["grid"] = Field(
        description="Every combination of the values in the space, in the order of R's expand.grid."
    )

    def configurations(self, study: Study) -> Iterator[tuple[str, dict[str, Any]]]:  # noqa: D102
        for number, settings in enumerate(grid_rows(study.space), start=1):
            yield f"grid_{number:03d}", settings

    def describe(self) -> str:  # noqa: D102
        return "every combination of the listed values"

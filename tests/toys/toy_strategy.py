"""A search strategy of another package: the ends of each range, then the middle between the best two trials."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from pydantic import Field

from gamtune.config.search import Search
from gamtune.config.study import Study
from gamtune.search.table import complete
from gamtune.slots import Outcome, Row, Slot


class Ends(Search):
    """Try the ends of each range, then the middle between the best two trials."""

    strategy: Literal["ends"] = Field(description="the ends of each range, then the middle between the best two")
    steps: int = Field(2, ge=2, description="number of values per hyperparameter")

    @property
    def stages(self) -> list[str]:
        return ["rounds/1"]

    def stage_slots(self, rows: int) -> list[int]:
        return [1]

    def configurations(self, study: Study) -> Iterator[tuple[str, dict[str, Any]]]:
        for step in range(self.steps):
            share = step / (self.steps - 1)
            ends = {name: distribution.support for name, distribution in study.space.items()}
            yield f"end_{step}", {name: low + share * (high - low) for name, (low, high) in ends.items()}

    def propose(self, study: Study, stage: int, slots: int, outcomes: Sequence[Outcome]) -> list[Slot]:
        best = sorted(outcomes, key=lambda outcome: float(outcome.error or 1))[:2]
        middle = {name: sum(outcome.row.spec.value(name) for outcome in best) / 2 for name in study.space}
        return [Slot(Row("middle", 1, complete(study, middle, 1, "middle")))]

    def describe(self) -> str:
        return f"{self.steps} values of each hyperparameter, and the middle between the best two"

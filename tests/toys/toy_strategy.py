"""A search strategy of another package: equally spaced quantiles, then the middle between the best two trials."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
from pydantic import Field

from gamtune.config.search import Search
from gamtune.config.study import Study
from gamtune.search.table import complete
from gamtune.slots import Outcome, Row, Slot


class Spaced(Search):
    """Try equally spaced quantiles of each distribution, then the middle between the best two trials."""

    strategy: Literal["spaced"] = Field(description="Equally spaced quantiles, then the middle between the best two.")
    steps: int = Field(2, ge=2, description="Number of values per hyperparameter.")

    @property
    def stages(self) -> list[str]:
        return ["rounds/1"]

    def stage_slots(self, rows: int) -> list[int]:
        return [1]

    def configurations(self, study: Study) -> Iterator[tuple[str, dict[str, Any]]]:
        probabilities = (np.arange(self.steps) + 0.5) / self.steps
        columns = {name: distribution.quantile(probabilities) for name, distribution in study.space.items()}
        for step in range(self.steps):
            yield f"step_{step + 1}", {name: values[step] for name, values in columns.items()}

    def propose(self, study: Study, stage: int, slots: int, outcomes: Sequence[Outcome]) -> list[Slot]:
        best = sorted(outcomes, key=lambda outcome: float(outcome.error or 1))[:2]
        middle = {name: sum(outcome.row.spec.value(name) for outcome in best) / 2 for name in study.space}
        return [Slot(Row("middle", 1, complete(study, middle, 1, "middle")))]

    def describe(self) -> str:
        return f"{self.steps} quantiles of each hyperparameter, and the middle between the best two"

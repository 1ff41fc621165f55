"""Successive halving: train many configurations for few epochs, and the best of them for more.

Source: Jamieson and Talwalkar (2016), Non-stochastic best arm identification and hyperparameter optimization.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from pydantic import Field

from gamtune.config.search import TABLE
from gamtune.config.study import Study
from gamtune.errors import InvalidValue
from gamtune.results import layout
from gamtune.search.strategies.drawn import Drawing
from gamtune.slots import Outcome, Slot

ETA, RUNGS = 3, 3


class Halving(Drawing):
    """Train random draws for few epochs; the best of them advance to the next rung."""

    strategy: Literal["halving"] = Field(
        description="Successive halving: random draws are trained for few epochs, and the best of them for more."
    )
    eta: int | None = Field(
        None,
        ge=2,
        le=100,
        description=f"Reduction factor: the best 1/eta of the trials advance to the next rung (default {ETA}).",
    )
    rungs: int | None = Field(
        None,
        ge=2,
        le=20,
        description="Number of rungs. The last rung ends after training.epochs, each earlier one after 1/eta of the "
        f"epochs of the next (default {RUNGS}).",
    )

    @property
    def rung_count(self) -> int:
        """Number of rungs, the initial table included."""
        return self.rungs or RUNGS

    @property
    def stages(self) -> list[str]:  # noqa: D102
        return [f"{layout.RUNGS}/{number}" for number in range(1, self.rung_count)]

    @property
    def resumes(self) -> bool:  # noqa: D102
        return True

    def stage_slots(self, rows: int) -> list[int]:  # noqa: D102
        return [max(1, rows // (self.eta or ETA) ** rung) for rung in range(1, self.rung_count)]

    def sources(self, stage: int) -> list[str]:  # noqa: D102
        return [TABLE] if stage == 1 else [self.stages[stage - 2]]

    def stage_settings(self, epochs: int, stage: int) -> dict[str, Any]:  # noqa: D102
        return {"epochs": self._rung_epochs(epochs)[stage]}

    def _rung_epochs(self, epochs: int) -> list[int]:
        """Return the epochs after which each rung ends, the last after ``epochs``."""
        last = self.rung_count - 1
        return [max(1, math.ceil(epochs / (self.eta or ETA) ** (last - rung))) for rung in range(self.rung_count)]

    def check_study(self, study: Study) -> None:  # noqa: D102
        if "epochs" in study.space:
            raise InvalidValue(
                "space.epochs: not valid for strategy 'halving'; set training.epochs, those of the last rung"
            )
        epochs = self._rung_epochs(int(study.training.settings["epochs"]))
        if len(set(epochs)) < len(epochs):
            raise InvalidValue(
                f"search.rungs: the rungs have {', '.join(map(str, epochs))} epochs, expected increasing numbers; "
                "increase training.epochs or reduce rungs"
            )

    def propose(self, study: Study, stage: int, slots: int, outcomes: Sequence[Outcome]) -> list[Slot]:
        """Fill a rung with the best trials of the previous rung, to be trained for more epochs.

        Failed trials do not advance. Of trials with equal errors, the earlier one is preferred.
        """
        epochs = self.stage_settings(int(study.training.settings["epochs"]), stage)["epochs"]
        finished = [outcome for outcome in outcomes if outcome.error is not None]
        best = sorted(finished, key=lambda outcome: float(outcome.error or 0))[:slots]
        filled = [Slot(replace(outcome.row, spec=replace(outcome.row.spec, epochs=epochs))) for outcome in best]
        reason = f"only {len(best)} trials of the previous rung finished"
        return filled + [Slot(None, reason)] * (slots - len(best))

    def describe(self) -> str:  # noqa: D102
        return f"{super().describe()}, then successive halving (eta {self.eta or ETA}, {self.rung_count} rungs)"

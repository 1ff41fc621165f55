"""Bayesian search: random draws, then rounds of configurations that a model of the results proposes."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from gamtune.config.search import Search
from gamtune.config.study import Study
from gamtune.errors import InvalidValue
from gamtune.results.layout import ROUNDS
from gamtune.search.depth import fixed_depth
from gamtune.search.strategies.drawn import Drawing
from gamtune.search.table import complete
from gamtune.slots import Outcome, Row, Slot
from gamtune.spec import Spec

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler

    from gamtune.search.adaptive import IsNew

PER_ROUND = 10
REPEATS = 100  # number of repeated proposals after which a slot stays empty


class Rounds(Drawing):
    """Draw configurations at random, then train rounds that a model proposes from all earlier results.

    Attributes
    ----------
    model : str
        Name of the model, for the report.
    """

    proposes: ClassVar[bool] = True
    model: ClassVar[str]

    rounds: int | None = Field(None, ge=1, le=1000, description="Number of rounds.")
    per_round: int | None = Field(
        None, ge=1, le=1000, description=f"Number of configurations per round (default {PER_ROUND})."
    )

    @model_validator(mode="after")
    def _check_rounds(self) -> Self:
        if self.rounds is None:
            raise InvalidValue(f"rounds: missing; the strategy {self.strategy!r} needs a number of rounds")
        return self

    @property
    def stages(self) -> list[str]:  # noqa: D102
        return [f"{ROUNDS}/{number}" for number in range(1, int(self.rounds or 0) + 1)]

    def stage_slots(self, rows: int) -> list[int]:  # noqa: D102
        return [self.per_round or PER_ROUND] * len(self.stages)

    def until(self, stage: int) -> Search:  # noqa: D102
        return self.model_copy(update={"rounds": stage})

    def sampler(self, seed: int, coordinates: "Mapping[str, BaseDistribution]", is_new: "IsNew") -> "BaseSampler":
        """Return the model as an Optuna sampler.

        Parameters
        ----------
        seed : int
            Equal results and seeds give equal proposals.
        coordinates : mapping
            Coordinates of the unit cube.
        is_new : callable
            Returns whether a point maps to a configuration that was not tried before.
        """
        raise NotImplementedError

    def propose(self, study: Study, stage: int, slots: int, outcomes: Sequence[Outcome]) -> list[Slot]:
        """Propose configurations that differ from all earlier ones; slots stay empty if the space has no others."""
        from gamtune.search.adaptive import Proposer, seed_of_round  # imports Optuna

        tried = ((outcome.row.spec, outcome.error) for outcome in outcomes)
        known = {outcome.row.spec.trial for outcome in outcomes}

        def spec_of(settings: dict[str, Any]) -> Spec:
            return complete(study, settings, 1, f"{self.strategy} in round {stage}")

        proposer = Proposer(
            partial(self.sampler, seed_of_round(self.seed, stage)),
            study.space,
            tried,
            fixed_depth(study),
            is_new=lambda settings: spec_of(settings).trial not in known,
        )
        filled = []
        for number in range(1, slots + 1):
            proposed = (spec_of(proposer.ask()) for _ in range(REPEATS))
            spec = next((spec for spec in proposed if spec.trial not in known), None)
            if spec is None:
                reason = f"{REPEATS} successive proposals had been tried before; the space may contain no others"
                filled.append(Slot(None, reason))
            else:
                known.add(spec.trial)
                filled.append(Slot(Row(f"{self.strategy}_round_{stage}_{number:02d}", 1, spec)))
        return filled

    def describe(self) -> str:  # noqa: D102
        rounds = f"{self.rounds} round{'' if self.rounds == 1 else 's'} of {self.per_round or PER_ROUND}"
        return f"{super().describe()}, then {rounds} proposed by {self.model}"


class Tpe(Rounds):
    """Propose rounds with the tree-structured Parzen estimator (TPE)."""

    model: ClassVar[str] = "a tree-structured Parzen estimator (TPE)"
    strategy: Literal["tpe"] = Field(
        description="Bayesian search: random draws, then rounds proposed by the tree-structured Parzen estimator (TPE)."
    )

    def sampler(  # noqa: D102
        self, seed: int, coordinates: "Mapping[str, BaseDistribution]", is_new: "IsNew"
    ) -> "BaseSampler":
        from gamtune.search.adaptive import tpe_sampler

        return tpe_sampler(seed, self.fewest_results)


class GaussianProcess(Rounds):
    """Propose rounds with the largest expected improvement under a Gaussian process."""

    model: ClassVar[str] = "a Gaussian process"
    fewest_results: ClassVar[int] = 4
    strategy: Literal["gp"] = Field(
        description="Bayesian search: random draws, then rounds proposed by a Gaussian process."
    )

    def sampler(  # noqa: D102
        self, seed: int, coordinates: "Mapping[str, BaseDistribution]", is_new: "IsNew"
    ) -> "BaseSampler":
        from gamtune.search.gaussian_process import GaussianProcessSampler

        return GaussianProcessSampler(seed, coordinates, is_new, self.fewest_results)

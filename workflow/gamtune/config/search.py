"""The section `search` of a config: which rows are trained."""

import math
from collections import Counter
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from gamtune.config.section import LARGEST_SEED, Section

MAX_CONFIGURATIONS = 100_000
LARGEST_R_SEED = 2**31 - 1  # -2^31 is R's NA; numpy's generator is held to the same

PER_ROUND, ETA, RUNGS = 10, 3, 3  # unless given
Strategy = Literal["manual", "grid", "random", "sobol", "latin_hypercube", "tpe", "gp", "halving"]
DRAWING = ("random", "sobol", "latin_hypercube", "tpe", "gp", "halving")
BAYESIAN = ("tpe", "gp")
FEWEST_RESULTS = {"tpe": 1, "gp": 4}  # of the table, from which the strategy's model can propose
# Which strategies read a key, in the words of the messages
READ_BY: dict[str, tuple[str, ...]] = {
    "draws": DRAWING,
    "seeds": ("random",),
    "generator": ("random",),
    "rounds": BAYESIAN,
    "per_round": BAYESIAN,
    "eta": ("halving",),
    "rungs": ("halving",),
}


class Search(Section):
    """Which rows are trained."""

    strategy: Strategy = Field(
        description="manual: the rows you list; grid: every combination, as R's expand.grid; random: seeded draws; "
        "sobol, latin_hypercube: draws that fill the space evenly; tpe, gp: random draws, then rounds of rows that a "
        "model of the results proposes (tree-structured Parzen estimator, Gaussian process); halving: random draws "
        "trained for few epochs, of which the best are trained on"
    )
    draws: int | None = Field(
        None,
        ge=1,
        le=MAX_CONFIGURATIONS,
        description="all but manual and grid: number of rows; for tpe and gp, those before the first round",
    )
    seed: int = Field(
        1,
        ge=0,
        le=LARGEST_SEED,
        description="from 0 to 4294967295; row i depends on (seed, i) alone, so more draws leave the first as they are",
    )
    seeds: list[Annotated[int, Field(ge=-LARGEST_R_SEED, le=LARGEST_R_SEED)]] | None = Field(
        None,
        min_length=1,
        max_length=MAX_CONFIGURATIONS,
        description="random: one row a seed from -2147483647 to 2147483647, named m_<seed>, in place of draws and seed",
        examples=[[403, 10, -753102721]],
    )
    generator: Literal["numpy", "R-rounding", "R-rejection"] | None = Field(
        None,
        description="random, with seeds: what draws; unless given numpy. R-rounding is R before 3.6, R-rejection R "
        "since then: set.seed, then the parameters in the space's order, those with a value a layer last",
    )
    rounds: int | None = Field(None, ge=1, le=1000, description="tpe, gp: how often rows are proposed")
    per_round: int | None = Field(None, ge=1, le=1000, description=f"tpe, gp: rows a round; unless given {PER_ROUND}")
    eta: int | None = Field(None, ge=2, le=100, description=f"halving: of so many rows one is kept; unless given {ETA}")
    rungs: int | None = Field(
        None,
        ge=2,
        le=20,
        description="halving: number of trainings that the best rows go through, the last for training.epochs, each "
        f"before it for one eta-th of the next one's; unless given {RUNGS}",
    )
    rows: list[dict[str, Any]] | str = Field(
        [],
        description="rows by hand, beside those of the strategy: a list, or a CSV file with one column a parameter",
        examples=[[{"name": "wide", "depth": 1, "neurons": 600}]],
    )
    keep: list[str] = Field(
        [],
        description="summary.csv files of other studies, whose rows are trained here too, with this study's settings "
        "where the file has none; what the store holds is not trained again",
    )
    replicates: int = Field(1, ge=1, le=1000, description="weight seeds a row; each is a trial")

    @property
    def stages(self) -> list[str]:
        """Folders of the rows that are proposed only when others are trained, in their order."""
        if self.strategy in BAYESIAN:
            return [f"rounds/{number}" for number in range(1, int(self.rounds or 0) + 1)]
        return [f"rungs/{number}" for number in range(1, self.rung_count)] if self.strategy == "halving" else []

    @property
    def proposes(self) -> bool:
        """Whether later rounds draw configurations of their own from the space."""
        return self.strategy in BAYESIAN

    @property
    def fewest_results(self) -> int:
        """Number of configurations that the table needs, so that no round is proposed at random."""
        return FEWEST_RESULTS.get(self.strategy, 1)

    @property
    def stage_column(self) -> str | None:
        """Column of ``table.csv`` that says which stage a row belongs to; 0 is the table itself."""
        return self.stages[0].partition("/")[0].removesuffix("s") if self.stages else None

    @property
    def rung_count(self) -> int:
        """Rungs of a halving, the first included."""
        return self.rungs or RUNGS

    @property
    def kept_of(self) -> int:
        """Of so many rows of a halving one goes on."""
        return self.eta or ETA

    @property
    def round_size(self) -> int:
        """Rows of a round."""
        return self.per_round or PER_ROUND

    def rung_epochs(self, epochs: int) -> list[int]:
        """Epochs after which each rung ends, the last after ``epochs``."""
        last = self.rung_count - 1
        return [max(1, math.ceil(epochs / self.kept_of ** (last - rung))) for rung in range(self.rung_count)]

    def stage_slots(self, rows: int) -> list[int]:
        """How many rows each stage has, where the table has ``rows``."""
        if self.strategy in BAYESIAN:
            return [self.round_size] * len(self.stages)
        return [max(1, rows // self.kept_of**rung) for rung in range(1, len(self.stages) + 1)]

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name, strategies in READ_BY.items():
            if getattr(self, name) is not None and self.strategy not in strategies:
                raise ValueError(f"{name} means nothing to the strategy {self.strategy!r}")
        if self.strategy in DRAWING and self.draws is None and self.seeds is None:
            raise ValueError(f"draws is missing: the strategy {self.strategy!r} needs a number of rows")
        if self.strategy in BAYESIAN and self.rounds is None:
            raise ValueError(f"rounds is missing: the strategy {self.strategy!r} needs a number of rounds")
        if self.strategy == "manual" and not (self.rows or self.keep):
            raise ValueError("rows is missing: the strategy 'manual' needs a list of rows or a CSV file")
        self._check_seeds()
        if self.stages and self.replicates > 1:
            raise ValueError(f"replicates: the strategy {self.strategy!r} has one; decision.confirm repeats its best")
        return self

    def _check_seeds(self) -> None:
        if self.seeds is None:
            if self.generator not in (None, "numpy"):
                raise ValueError(f"seeds is missing: the generator {self.generator!r} draws one row a seed")
            return
        if self.draws is not None:
            raise ValueError("seeds and draws exclude each other: there is one row a seed")
        for seed, times in Counter(self.seeds).items():
            if times > 1:
                raise ValueError(f"seeds lists {seed} twice")

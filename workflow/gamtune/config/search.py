"""The section `search` of a config: the base class and registry of the search strategies.

Each strategy is a pydantic model that defines its keys, stages, configurations and description.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import Field, ValidationError, model_validator

from gamtune.config.messages import lines_of
from gamtune.config.section import Section
from gamtune.errors import InputError, InvalidValue
from gamtune.registry import Registry
from gamtune.slots import Outcome, Slot

if TYPE_CHECKING:
    from gamtune.config.study import Study

TABLE = ""  # the source of a stage that is proposed from the results of the initial table
STRATEGIES = Registry(
    "gamtune.strategies",
    {
        "manual": "gamtune.search.strategies.listed:Manual",
        "grid": "gamtune.search.strategies.listed:Grid",
        "random": "gamtune.search.strategies.drawn:Random",
        "sobol": "gamtune.search.strategies.drawn:Sobol",
        "latin_hypercube": "gamtune.search.strategies.drawn:LatinHypercube",
        "tpe": "gamtune.search.strategies.rounds:Tpe",
        "gp": "gamtune.search.strategies.rounds:GaussianProcess",
        "halving": "gamtune.search.strategies.halving:Halving",
    },
)
OF_A_KEY = re.compile(r"\w+(\[\d+\])*(\.\w+)*: ")  # start of a message about a key, not about the section


class Search(Section):
    """The search strategy and its keys."""

    needs_space: ClassVar[bool] = True
    proposes: ClassVar[bool] = False  # whether its stages draw new configurations from the space
    fewest_results: ClassVar[int] = 1  # smallest number of configurations in the initial table

    strategy: str = Field(description="Name of the search strategy.")
    rows: list[dict[str, Any]] | str = Field(
        [],
        description="Configurations that are trained in addition to those of the strategy: a list, or a CSV file with "
        "one column per hyperparameter.",
        examples=[[{"name": "wide", "depth": 1, "neurons": 600}]],
    )
    keep: list[str] = Field(
        [],
        description="Paths of summary.csv files of other studies, whose configurations are trained in this study too. "
        "This study provides the settings that the file does not contain. Trials that are already in the store are not "
        "trained again.",
    )
    replicates: int = Field(1, ge=1, le=1000, description="Number of weight seeds per configuration; each is a trial.")

    @model_validator(mode="after")
    def _check_replicates(self) -> Self:
        if self.stages and self.replicates > 1:
            raise InvalidValue(
                f"replicates: not valid for strategy {self.strategy!r}; selection.confirm repeats its best"
            )
        return self

    @property
    def stages(self) -> list[str]:
        """Folders of the stages in order; the trials of a stage are proposed from earlier results."""
        return []

    @property
    def stage_column(self) -> str | None:
        """Column of ``table.csv`` with the stage of each trial; 0 is the initial table. None without stages."""
        return self.stages[0].partition("/")[0].removesuffix("s") if self.stages else None

    def stage_slots(self, rows: int) -> list[int]:
        """Return the number of slots of each stage, for an initial table of ``rows`` configurations."""
        return [0] * len(self.stages)

    def sources(self, stage: int) -> list[str]:
        """Return the sources from which a stage, counted from 1, is proposed: `TABLE` and folders of earlier stages."""
        return [TABLE, *self.stages[: stage - 1]]

    def stage_settings(self, epochs: int, stage: int) -> dict[str, Any]:
        """Return the settings that all trials of a stage share, where 0 is the initial table.

        Parameters
        ----------
        epochs : int
            Number of epochs in the config.
        stage : int
            Number of the stage.
        """
        return {}

    @property
    def resumes(self) -> bool:
        """Whether the trials of a stage continue the training of trials of the previous stage."""
        return False

    def until(self, stage: int) -> "Search":
        """Return the strategy with ``stage`` as its last stage, so that a stage does not depend on later ones."""
        return self

    def check_study(self, study: "Study") -> None:
        """Check the strategy against the other sections of the config.

        Raises
        ------
        InvalidValue
            With a message that begins with the invalid key.
        """

    def configurations(self, study: "Study") -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield name and settings of the initial configurations, without those listed in `rows`."""
        return iter(())

    def propose(self, study: "Study", stage: int, slots: int, outcomes: Sequence[Outcome]) -> list[Slot]:
        """Fill the slots of a stage.

        Parameters
        ----------
        study : Study
            The config.
        stage : int
            Number of the stage, from 1.
        slots : int
            Number of its slots.
        outcomes : sequence of Outcome
            The trials of the `sources` of the stage, with their results.
        """
        raise NotImplementedError(f"{self.strategy} has no stages")

    def describe(self) -> str:
        """Return a description of the strategy for the report."""
        raise NotImplementedError


def parse_search(raw: Any) -> Search:
    """Parse the section `search`.

    Raises
    ------
    InputError
        With one line per error; keys are relative to ``search``.
    """
    if isinstance(raw, Search):
        return raw
    if not isinstance(raw, dict):
        raise InputError([f"got {raw!r}, expected a mapping with the key strategy"])
    name = raw.get("strategy")
    if "strategy" not in raw:
        raise InputError([f".strategy: missing; set it to {_joined(map(repr, STRATEGIES.names()), 'or')}"])
    if not isinstance(name, str) or name not in STRATEGIES:
        raise InputError([f".strategy: got {name!r}, expected {_joined(map(repr, STRATEGIES.names()), 'or')}"])
    model: type[Search] = STRATEGIES.load(name)
    owners = _owners() if raw.keys() - model.model_fields else {}
    foreign = [key for key in raw if key in owners and key not in model.model_fields]
    lines = [
        f".{key}: not valid for strategy {name!r}; it belongs to {_joined(owners[key], 'and')}"
        for key in foreign
        if raw[key] is not None
    ]
    try:
        search = model.model_validate({key: value for key, value in raw.items() if key not in foreign})
    except ValidationError as error:
        lines += [f".{line}" if OF_A_KEY.match(line) else line for line in lines_of(error, model)]
    if lines:
        raise InputError(lines)
    return search


def _owners() -> dict[str, list[str]]:
    """Return the keys of all strategies, each with the names of its strategies."""
    owners: dict[str, list[str]] = {}
    for name in STRATEGIES.names():
        for key in STRATEGIES.load(name).model_fields:
            owners.setdefault(key, []).append(name)
    return owners


def _joined(names: Iterable[str], last: str) -> str:
    *names, end = names
    return f"{', '.join(names)} {last} {end}" if names else end

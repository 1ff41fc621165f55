"""The selection: the scores of the candidates on common weight seeds, the selected candidate and the reason."""

from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, model_validator

from gamtune.results.json_artefact import JsonArtefact
from gamtune.results.layout import StudyFolder


class Compared(BaseModel):
    """A candidate as it was compared with the others.

    Attributes
    ----------
    candidate, rule, source : str
        Name of the candidate, the selection rule that proposed it, and where it comes from.
    observed, predicted : float, optional
        Its validation MSE in the search, and the response that the GAM predicts.
    replicates : list of float
        Validation MSE of its confirmations, in the order of the weight seeds.
    mean, mean_low, mean_high, sd : float, optional
        Their mean, its 95 % interval and their standard deviation.
    n : int
        Number of confirmations.
    epochs : int, optional
        Median of the best epochs of the confirmations.
    weights : int, optional
        Number of weights and biases of its network.
    difference, low, high : float, optional
        Its mean minus that of the selected candidate, and the 95 % interval of the paired difference.
    skipped : str, optional
        Why it was not compared.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    candidate: str
    rule: str
    source: str
    observed: float | None = None
    predicted: float | None = None
    replicates: list[float] = []
    mean: float | None = None
    mean_low: float | None = None
    mean_high: float | None = None
    sd: float | None = None
    n: int = 0
    epochs: int | None = None
    weights: int | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    skipped: str | None = None

    @property
    def score(self) -> float:
        """The mean validation MSE of a candidate that was compared.

        Raises
        ------
        ValueError
            If the candidate was not compared.
        """
        if self.mean is None:
            raise ValueError(f"candidate {self.candidate} was not compared")
        return self.mean


class Optimism(BaseModel):
    """Bias of the score of the best configuration in the search.

    Attributes
    ----------
    row : str
        The best configuration of the search.
    observed, fresh_mean : float
        Its validation MSE in the search, and the mean over its confirmations.
    difference, low, high : float
        The second minus the first, and its 95 % bootstrap interval; None for a single confirmation.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    row: str
    observed: float
    fresh_mean: float
    difference: float
    low: float | None
    high: float | None


class Selection(JsonArtefact):
    """The selection among the confirmed candidates.

    Attributes
    ----------
    optimum : str
        Name of the selected candidate, which is the optimum of the study.
    choose : str
        The criterion: ``lowest_mean`` or ``one_standard_error``.
    selected_on : str
        The part that the candidates are compared on: ``validation``, or ``test`` if the study selects on the test set.
    why : str
        The reason, as a text.
    weight_seeds : list of int
        The weight seeds of the confirmations.
    spec : dict
        All settings of the selected candidate by their names in the config.
    candidates : list of Compared
        All candidates, in the order of the selection rules.
    optimism : Optimism, optional
        None if the best configuration of the search was not confirmed.
    """

    optimum: str
    choose: str
    selected_on: str
    why: str
    weight_seeds: list[int]
    spec: dict[str, Any]
    candidates: list[Compared]
    optimism: Optimism | None

    @model_validator(mode="after")
    def _has_its_optimum(self) -> Self:
        if self.optimum not in [entry.candidate for entry in self.candidates]:
            raise ValueError(f"its optimum {self.optimum!r} is not one of its candidates")
        return self

    @classmethod
    def of(cls, study: Path) -> Self:
        """Read the selection in the study's folder of results; it raises the errors of `read`."""
        return cls.read(StudyFolder(study).selection)

    @property
    def selected(self) -> Compared:
        """The selected candidate."""
        return self.candidate(self.optimum)

    def candidate(self, name: str) -> Compared:
        """Return a candidate.

        Raises
        ------
        KeyError
            If there is no such candidate.
        """
        return {entry.candidate: entry for entry in self.candidates}[name]

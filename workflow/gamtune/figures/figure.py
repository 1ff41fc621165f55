"""The types of figures, and the results that figures are drawn from."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol, Self, TypeVar

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from plotnine import ggplot

from gamtune.analysis.columns import RESPONSE
from gamtune.analysis.comparable import averaged, last_rung
from gamtune.figures.registry import Section
from gamtune.results.layout import StudyFolder
from gamtune.results.trial_table import OK, STATUS, read_summary


@dataclass(frozen=True)
class ReportFigure:
    """A figure of the report.

    Parameters
    ----------
    stem : str
        File name without suffix, which no other figure of the study has.
    plot : ggplot or Figure
        The plot.
    caption : str
        One or a few sentences that state the answer with numbers.
    section : str
        Section of the report: one of `Section`, or another heading, shown after those.
    finish : callable, optional
        Changes the matplotlib figure of a ggplot before it is saved.
    """

    stem: str
    plot: ggplot | Figure
    caption: str
    section: str = Section.OTHER
    finish: Callable[[Figure], None] | None = None


@dataclass(frozen=True)
class SearchResults:
    """The results of a study's search.

    Parameters
    ----------
    folder : Path
        The study's folder of results.
    summary : DataFrame
        ``summary.csv`` with one line per configuration (per rung, in a study with rungs), the mean of its trials.
    columns : sequence of str
        Hyperparameters and derived columns to draw, in their order.
    log_columns : collection of str
        Those of them that span orders of magnitude.
    stages : sequence of str
        Folders of the study's rounds or rungs.
    """

    folder: Path
    summary: pd.DataFrame
    columns: Sequence[str]
    log_columns: Collection[str] = ()
    stages: Sequence[str] = ()

    @classmethod
    def read(
        cls, folder: Path, columns: Sequence[str], log_columns: Collection[str] = (), stages: Sequence[str] = ()
    ) -> Self:
        """Read the summary of a study; the parameters are those of the class."""
        summary = averaged(read_summary(StudyFolder(folder).summary))
        return cls(folder, summary, columns, log_columns, stages)

    @cached_property
    def finished(self) -> pd.DataFrame:
        """Lines of the summary that finished with a finite error."""
        errors = pd.to_numeric(self.summary[RESPONSE], errors="coerce")
        finished: pd.DataFrame = self.summary[(self.summary[STATUS] == OK) & np.isfinite(errors)]
        return finished

    @cached_property
    def comparable(self) -> pd.DataFrame:
        """Finished configurations with equal numbers of epochs: those of the last rung in a study with rungs."""
        return last_rung(self.finished)


@dataclass(frozen=True)
class OptimumResults:
    """The results of the optimum on the test set.

    Parameters
    ----------
    folder : Path
        The study's folder of results.
    predictions : DataFrame
        ``optimum/predictions.csv``: one line per test sample with columns ``actual`` and ``predicted``, and, for a
        classification, the probability of each class in ``p_<class>``.
    """

    folder: Path
    predictions: pd.DataFrame

    @property
    def classes(self) -> list[str]:
        """Names of the classes; empty for a regression."""
        return [name.removeprefix("p_") for name in map(str, self.predictions) if name.startswith("p_")]


Results = TypeVar("Results", SearchResults, OptimumResults, contravariant=True)


class DrawFigures(Protocol[Results]):
    """A function that draws one kind of figure."""

    def __call__(self, study: Results, /) -> Iterable[ReportFigure]:
        """Return the figures of a study: none if the study has nothing to show, several if there is one per term.

        The style of `gamtune.figures.theme` is set while the function runs.

        Parameters
        ----------
        study : SearchResults or OptimumResults
            The results, depending on the registry.
        """

"""The step `figures`: the figures of a study's search."""

from collections.abc import Collection, Sequence
from pathlib import Path

from gamtune.analysis.comparable import selection_note
from gamtune.figures.captions import draw_all
from gamtune.figures.figure import SearchResults
from gamtune.figures.registry import FIGURES
from gamtune.files import check_folder
from gamtune.results.layout import StudyFolder


def write_figures(
    study: Path, stages: Sequence[str], columns: Sequence[str], log_columns: Collection[str], folder: Path
) -> None:
    """Draw the figures of a search.

    Parameters
    ----------
    study : Path
        The study's folder of results: ``summary.csv``, the records of the trials, and ``gam/``, which holds the tables
        of a model, or only ``skipped.txt`` if there is none.
    stages : sequence of str
        Folders of the study's rounds or rungs.
    columns : sequence of str
        Hyperparameters and derived columns to draw, in their order.
    log_columns : collection of str
        Those of them that span orders of magnitude.
    folder : Path
        Where the figures are written.

    Raises
    ------
    DamagedError
        If a file of the model or the summary is damaged.
    """
    check_folder(StudyFolder(study).gam.path)
    results = SearchResults.read(study, columns, log_columns, stages)
    draw_all(FIGURES, results, selection_note(results.summary), folder)

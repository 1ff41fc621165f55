"""The step `optimum_figures`: the figures of the optimum on the test set."""

from pathlib import Path

from gamtune.analysis.comparable import ON_TEST_ROWS
from gamtune.figures.captions import draw_all
from gamtune.figures.figure import OptimumResults
from gamtune.figures.registry import OPTIMUM_FIGURES
from gamtune.results.artefacts import read_artefact
from gamtune.results.dataset import DatasetInfo
from gamtune.results.layout import StudyFolder


def write_optimum_figures(study: Path, folder: Path) -> None:
    """Draw the figures of the optimum.

    Parameters
    ----------
    study : Path
        The study's folder of results; the optimum has been scored.
    folder : Path
        Where the figures are written.
    """
    results = StudyFolder(study)
    predictions = read_artefact(results.optimum.predictions, text=("actual", "predicted"))
    note = ON_TEST_ROWS if DatasetInfo.read(results.data.info).selected_on == "test" else None
    draw_all(OPTIMUM_FIGURES, OptimumResults(study, predictions), note, folder)

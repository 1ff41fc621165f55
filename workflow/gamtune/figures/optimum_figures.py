"""The step `optimum_figures`: the figures of the optimum on the test set."""

from pathlib import Path

from gamtune.analysis.comparable import ON_TEST_ROWS
from gamtune.figures.captions import draw_all
from gamtune.figures.figure import OptimumResults
from gamtune.figures.registry import OPTIMUM_FIGURES
from gamtune.files import read_json
from gamtune.results.artefacts import read_artefact


def write_optimum_figures(study: Path, folder: Path) -> None:
    """Draw the figures of the optimum.

    Parameters
    ----------
    study : Path
        The study's folder of results; the optimum has been scored.
    folder : Path
        Where the figures are written.
    """
    predictions = read_artefact(study / "optimum" / "predictions.csv", text=("actual", "predicted"))
    selection = read_json(study / "data" / "digest.json", "selection")["selection"]
    note = ON_TEST_ROWS if selection == "test" else None
    draw_all(OPTIMUM_FIGURES, OptimumResults(study, predictions), note, folder)

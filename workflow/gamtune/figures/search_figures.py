"""The step `figures`: every figure of a study's search, and their captions in one file."""

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from gamtune.analysis.columns import RESPONSE
from gamtune.analysis.comparable import averaged, flattery, last_rung
from gamtune.config.settings import PER_LAYER
from gamtune.figures.budget import draw_budget
from gamtune.figures.captions import draw_with_captions
from gamtune.figures.contour import draw_contours
from gamtune.figures.effects import gam_figures
from gamtune.figures.importance import draw_importance
from gamtune.figures.learning import draw_learning
from gamtune.figures.parallel import draw_parallel
from gamtune.figures.scatter import mse_by_parameter
from gamtune.files import check_folder
from gamtune.results.artefacts import read_artefact
from gamtune.results.layout import StudyFolder


def write_figures(
    study: Path, stages: Sequence[str], columns: Sequence[str], log_columns: Collection[str], folder: Path
) -> None:
    """Draw the figures into ``folder``, each as .png and .svg, and write ``captions.json``.

    Parameters
    ----------
    study : Path
        The study's folder of results: ``summary.csv``, the trials' records, and ``gam/``, which holds a model's tables,
        or only ``skipped.txt``, and then there are no figures of effects.
    stages : sequence of str
        Folders of the study's rounds or rungs.
    columns : sequence of str
        Hyper-parameters and derived columns to draw, in order.
    log_columns : collection of str
        Those of them that span orders of magnitude.
    folder : Path
        Where the figures go.
    """
    results = StudyFolder(study)
    check_folder(results.gam.path)
    summary = averaged(read_artefact(results.summary, text=("trial", "name")))

    def draw(into: Path) -> dict[str, str]:
        captions = mse_by_parameter(summary, columns, log_columns, into)
        if results.gam.curves.exists():
            captions |= gam_figures(results.gam.path, summary, into)
        return captions | _of_the_search(study, stages, summary, columns, set(log_columns), into)

    draw_with_captions(draw, flattery(summary), folder)


def _of_the_search(
    study: Path,
    stages: Sequence[str],
    summary: pd.DataFrame,
    columns: Sequence[str],
    log_columns: set[str],
    folder: Path,
) -> dict[str, str]:
    """Figures that need no model, those for which there are rows enough."""
    errors = pd.to_numeric(summary[RESPONSE], errors="coerce")
    rows = last_rung(summary[(summary["status"] == "ok") & np.isfinite(errors)])
    shown = [name for name in columns if name not in PER_LAYER]
    captions = {
        "budget": draw_budget(rows, folder / "budget"),
        "parallel_coordinates": draw_parallel(rows, shown, log_columns, folder / "parallel_coordinates"),
        "contours": draw_contours(rows, shown, log_columns, folder / "contours"),
        "learning_curves": draw_learning(study, stages, folder / "learning_curves"),
    }
    importance = StudyFolder(study).gam.importance
    if importance.exists():
        captions["importance"] = draw_importance(read_artefact(importance), folder / "importance")
    return {stem: caption for stem, caption in captions.items() if caption}

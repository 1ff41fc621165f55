"""The step `figures`: every figure of a study, and their captions in one file."""

import json
from collections.abc import Collection, Sequence
from pathlib import Path

import pandas as pd

from gamtune.analysis.comparable import averaged, flattery
from gamtune.analysis.gam_figures import gam_figures
from gamtune.analysis.scatter_figure import mse_by_parameter
from gamtune.analysis.theme import stamped
from gamtune.files import write_text

CAPTIONS = "captions.json"


def write_figures(
    summary_csv: Path, gam_folder: Path, columns: Sequence[str], log_columns: Collection[str], folder: Path
) -> None:
    """Draw the figures into ``folder``, each as .png and .svg, and write ``captions.json``.

    Parameters
    ----------
    summary_csv : Path
        ``summary.csv``.
    gam_folder : Path
        What the step `gam` left: a model's tables, or only ``skipped.txt``, and then there are no figures of effects.
    columns : sequence of str
        Hyper-parameters and derived columns to draw, in order.
    log_columns : collection of str
        Those of them that span orders of magnitude.
    folder : Path
        Where the figures go.
    """
    summary = averaged(pd.read_csv(summary_csv))
    note = flattery(summary)
    with stamped(note):
        captions = mse_by_parameter(summary, columns, log_columns, folder)
        if (gam_folder / "curves.csv").exists():
            captions |= gam_figures(gam_folder, summary, folder)
    if note is not None:
        captions = {stem: f"{caption} {note}" for stem, caption in captions.items()}
    write_text(folder / CAPTIONS, json.dumps(captions, indent=1, ensure_ascii=False) + "\n")

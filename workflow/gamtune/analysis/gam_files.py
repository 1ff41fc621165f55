"""The files of a fitted additive model. Each file is written to a temporary file and moved into place."""

from pathlib import Path

from gamtune.files import write_text
from gamtune.gam.inference import Inference, infer
from gamtune.gam.model import FittedGam
from gamtune.gam.summary import summary_text
from gamtune.gam.tables import curves, effects, model_table, surfaces, term_table
from gamtune.results.artefacts import write_artefact

WARNINGS, SUMMARY = "warnings.txt", "summary.txt"
TERMS, MODEL, EFFECTS, CURVES, SURFACES = "terms.csv", "model.csv", "effects.csv", "curves.csv", "surfaces.csv"
FILES = (WARNINGS, SUMMARY, TERMS, MODEL, EFFECTS, CURVES, SURFACES)


def write_gam(fitted: FittedGam, folder: Path) -> Inference:
    """Test a model and write its files: `FILES`, of which ``warnings.txt`` is omitted if there are no warnings.

    Parameters
    ----------
    fitted : FittedGam
        The model.
    folder : Path
        Folder of the files; it is created if it does not exist.

    Returns
    -------
    Inference
        Permutation tests of the model.
    """
    inference = infer(fitted)
    write_text(folder / SUMMARY, summary_text(fitted, inference))
    if fitted.warnings:
        write_text(folder / WARNINGS, "".join(f"{warning}\n" for warning in fitted.warnings))
    tables = {
        TERMS: term_table(fitted, inference),
        MODEL: model_table(fitted, inference),
        EFFECTS: effects(fitted),
        CURVES: curves(fitted, inference),
        SURFACES: surfaces(fitted, inference),
    }
    for name, table in tables.items():
        write_artefact(table, folder / name)
    return inference

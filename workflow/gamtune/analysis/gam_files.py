"""Files of a fitted additive model."""

from pathlib import Path

from gamtune.files import write_text
from gamtune.gam.inference import Inference, infer
from gamtune.gam.model import FittedGam
from gamtune.gam.summary import summary_text
from gamtune.gam.tables import curves, effects, model_table, surfaces, term_table
from gamtune.results.artefacts import write_artefact
from gamtune.results.layout import GamFolder


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
    inference, files = infer(fitted), GamFolder(folder)
    write_text(files.summary, summary_text(fitted, inference))
    if fitted.warnings:
        write_text(files.warnings, "".join(f"{warning}\n" for warning in fitted.warnings))
    tables = {
        files.terms: term_table(fitted, inference),
        files.model: model_table(fitted, inference),
        files.effects: effects(fitted),
        files.curves: curves(fitted, inference),
        files.surfaces: surfaces(fitted, inference),
    }
    for path, table in tables.items():
        write_artefact(table, path)
    return inference

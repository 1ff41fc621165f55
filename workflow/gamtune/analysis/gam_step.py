"""The step `gam`: fit an additive model to the finished configurations, or state why that is not possible."""

import sys
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from gamtune.analysis.comparable import comparable_rows, is_summary, last_rung, modelled_rows, selection_note
from gamtune.analysis.engine_errors import input_errors
from gamtune.analysis.gam_files import write_gam
from gamtune.analysis.importance import importance
from gamtune.config.settings import PER_LAYER
from gamtune.errors import InputError
from gamtune.files import check_file, checksum_of, write_text
from gamtune.gam.formula import check_columns, parse_formula, parse_response
from gamtune.gam.inference import Inference
from gamtune.gam.model import FittedGam, fit_gam
from gamtune.gam.penalised_fit import Method
from gamtune.gam.terms import Formula, Response, quoted
from gamtune.results.artefacts import write_artefact
from gamtune.results.layout import GamFolder
from gamtune.results.trial_table import RUNG
from gamtune.tables.table import read_table

NO_MODEL = "analysis.gam is null"


def run_gam(
    results: Path,
    formula: str | None,
    response: str,
    method: Method,
    folder: Path,
    columns: Sequence[str] = (),
    log_columns: Collection[str] = (),
    skip_unfittable: bool = False,
) -> None:
    """Write the files of the model, and ``importance.csv`` if there are hyperparameters to rank.

    Parameters
    ----------
    results : Path
        CSV file with one row per configuration. Of a study's ``summary.csv`` (see `is_summary`) only finished
        configurations are used, each as the mean of its trials, and of a halving those of one rung.
    formula : str, optional
        Terms of the model, as `parse_formula` reads them. If it is None, ``skipped.txt`` is written instead of a model.
    response : str
        Response of the model, as `parse_response` reads it.
    method : {"REML", "GCV"}
        Criterion that selects the smoothing parameters.
    folder : Path
        Folder of the files; the files of an earlier model are removed.
    columns : sequence of str
        Hyperparameters and derived columns whose importance is also ranked without the model.
    log_columns : collection of str
        Those of ``columns`` that are ranked on a logarithmic scale.
    skip_unfittable : bool
        Whether to write the reason to ``skipped.txt`` instead of raising an error if the data do not support the model.

    Raises
    ------
    InputError
        If the file cannot be read, a column is missing, the formula cannot be read, or the data do not support the
        model.
    """
    check_file(results)
    table = read_table(results).frame()
    if is_summary(table):  # the names of configurations are text, even if they look like numbers
        table = read_table(results, missing=("",)).frame()
    rows = comparable_rows(table)
    with input_errors():
        outcome = parse_response(response)
    fitted, reason = None, NO_MODEL
    if formula is not None:
        with input_errors(str(results)):
            terms = parse_formula(formula)
            check_columns(terms, map(str, rows.columns))
        _check_response(outcome, rows, str(results))
        try:
            with input_errors():
                fitted = _fit(rows, terms, outcome, method, is_summary(table))
        except InputError as error:
            if not skip_unfittable:
                raise error.within(str(results)) from None
            print(error, file=sys.stderr)
            reason = str(error)
    files = GamFolder(folder)
    for path in files.files:  # other files in the folder may be the user's
        path.unlink(missing_ok=True)
        checksum_of(path).unlink(missing_ok=True)
    inference = None
    if fitted:
        with input_errors(str(results)):
            inference = _write(fitted, folder)
    else:
        write_text(files.skipped, f"{reason}\n")
    halving = is_summary(table) and RUNG in table
    shown = [name for name in columns if name not in PER_LAYER and not (halving and name == "epochs")]
    ranked = importance(fitted, inference, last_rung(rows) if halving else rows, outcome.column, shown, log_columns)
    if len(ranked):
        write_artefact(ranked, files.importance)


def _check_response(response: Response, rows: pd.DataFrame, source: str) -> None:
    """Check that the table has the column of the response."""
    if response.column not in rows:
        listed = ", ".join(quoted(str(name)) for name in rows)
        raise InputError([f"--response: no column {response.column!r} in the table; it has {listed}"], source)


def _fit(rows: pd.DataFrame, formula: Formula, response: Response, method: Method, summary: bool) -> FittedGam:
    """Fit the model. For a summary, only comparable configurations are used, and warnings state which ones."""
    if not summary:
        return fit_gam(formula, rows, response, method)
    modelled = modelled_rows(rows, formula)
    fitted = fit_gam(formula, modelled, response, method)
    notes = [selection_note(modelled) or ""]
    if RUNG in modelled:
        notes.insert(0, f"only the configurations after {modelled['epochs'].iloc[0]} epochs (one rung) are compared")
    return replace(fitted, warnings=(*fitted.warnings, *filter(None, notes)))


def _write(fitted: FittedGam, folder: Path) -> Inference:
    for warning in fitted.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    return write_gam(fitted, folder)

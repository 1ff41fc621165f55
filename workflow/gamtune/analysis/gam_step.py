"""The step `gam`: fits a formula to the finished configurations, or states why it cannot."""

import sys
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from gamtune.analysis.comparable import RUNG, comparable_rows, flattery, is_summary, last_rung, modelled_rows
from gamtune.analysis.gam_files import write_gam
from gamtune.analysis.importance import importance
from gamtune.config.settings import PER_LAYER
from gamtune.errors import InputError
from gamtune.files import check_file, checksum_of, write_text
from gamtune.gam.formula import check_columns, parse_formula, parse_response
from gamtune.gam.inference import Inference
from gamtune.gam.model import FittedGam, fit_gam
from gamtune.gam.penalised_fit import Method
from gamtune.gam.terms import quoted
from gamtune.results.artefacts import write_artefact
from gamtune.results.layout import GamFolder
from gamtune.tables.table import read_table


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
    """Write the model's files into ``folder``, and ``importance.csv`` if there is anything to rank.

    Parameters
    ----------
    results : Path
        CSV file with one row per configuration. Of a study's ``summary.csv`` (see `is_summary`) only finished
        configurations are used, each the mean of its trials, and of a halving those of one rung.
    formula : str, optional
        None if the study fits no model; then ``skipped.txt`` takes the place of the model's files.
    response, method : str
        As `fit_gam` takes them.
    folder : Path
        Where the files go; files of an earlier model are replaced.
    columns : sequence of str
        Hyperparameters and derived columns whose importance is ranked without the model as well.
    log_columns : collection of str
        Those of them that are ranked on a logarithmic scale.
    skip_unfittable : bool
        If the rows cannot carry the model, write ``skipped.txt`` with the reason instead of raising an error.

    Raises
    ------
    InputError
        If the file cannot be read, or has no such columns, or the rows cannot carry the model.
    """
    check_file(results)
    table = read_table(results).frame()
    if is_summary(table):  # whose names are text, whatever they are
        table = read_table(results, missing=("",)).frame()
    rows = comparable_rows(table)
    outcome = parse_response(response)
    fitted, reason = None, "No model of the error was asked for: analysis.gam is null."
    if formula is not None:
        _check_names(formula, outcome.column, rows, str(results))
        try:
            fitted = _fit(rows, formula, response, method, is_summary(table))
        except InputError as error:
            if not skip_unfittable:
                raise error.within(str(results)) from None
            print(error, file=sys.stderr)
            reason = str(error)
    files = GamFolder(folder)
    for path in files.files:  # of an earlier run; nothing else in the folder is ours to touch
        path.unlink(missing_ok=True)
        checksum_of(path).unlink(missing_ok=True)
    inference = _write(fitted, folder) if fitted else None
    if not fitted:
        write_text(files.skipped, f"{reason}\n")
    halving = is_summary(table) and RUNG in table
    shown = [name for name in columns if name not in PER_LAYER and not (halving and name == "epochs")]
    ranked = importance(fitted, inference, last_rung(rows) if halving else rows, outcome.column, shown, log_columns)
    if len(ranked):
        write_artefact(ranked, files.importance)


def _check_names(formula: str, response: str, rows: pd.DataFrame, source: str) -> None:
    """Refuse a formula or a response that names a column which the table does not have."""
    try:
        check_columns(parse_formula(formula), map(str, rows.columns))
    except InputError as error:
        raise error.within(source) from None
    if response not in rows:
        listed = ", ".join(quoted(str(name)) for name in rows)
        raise InputError([f"--response: no column {response!r} in the table; it has {listed}"], source)


def _fit(rows: pd.DataFrame, formula: str, response: str, method: Method, summary: bool) -> FittedGam:
    """Fit the model; of a summary, to comparable rows, with what has to be said of them."""
    if not summary:
        return fit_gam(formula, rows, response, method)
    modelled = modelled_rows(rows, formula)
    fitted = fit_gam(formula, modelled, response, method)
    notes = [flattery(modelled) or ""]
    if RUNG in modelled:
        notes.insert(0, f"only rows after {modelled['epochs'].iloc[0]} epochs are compared, those of one rung")
    return replace(fitted, warnings=(*fitted.warnings, *filter(None, notes)))


def _write(fitted: FittedGam, folder: Path) -> Inference:
    for warning in fitted.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    return write_gam(fitted, folder)

"""The step `gam`: fits the config's formula to the finished rows, or says why it does not."""

import sys
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from gamtune.analysis.comparable import RUNG, averaged, flattery, last_rung, modelled_rows
from gamtune.analysis.formula import check_columns, parse_formula, parse_response
from gamtune.analysis.gam import FittedGam, fit_gam
from gamtune.analysis.gam_files import write_gam
from gamtune.analysis.importance import importance
from gamtune.analysis.inference import Inference
from gamtune.analysis.penalised_fit import Method
from gamtune.errors import InputError
from gamtune.files import write_text
from gamtune.settings import PER_LAYER

SKIPPED, IMPORTANCE = "skipped.txt", "importance.csv"
FILES = (
    SKIPPED,
    IMPORTANCE,
    "warnings.txt",
    "summary.txt",
    "terms.csv",
    "model.csv",
    "effects.csv",
    "curves.csv",
    "surfaces.csv",
)


def run_gam(
    results: Path,
    formula: str | None,
    response: str,
    method: Method,
    folder: Path,
    columns: Sequence[str] = (),
    log_columns: Collection[str] = (),
) -> None:
    """Write the model's files into ``folder``, or ``skipped.txt`` with the reason why there are none, and
    ``importance.csv`` where there is anything to tell.

    Parameters
    ----------
    results : Path
        CSV file with one row a trial; where it has a column ``status``, only rows with ``ok`` are used, and where it
        has a column ``rung``, only those of one rung.
    formula : str, optional
        None: the study wants no model.
    response, method : str
        As `fit_gam` takes them.
    folder : Path
        Where they go; files of an earlier model are replaced.
    columns : sequence of str
        Hyper-parameters and derived columns whose importance is told without the model as well.
    log_columns : collection of str
        Those of them that span orders of magnitude.

    Raises
    ------
    InputError
        If the file cannot be read, or has no such columns.
    """
    try:
        rows = pd.read_csv(results)
    except (OSError, ValueError) as error:
        raise InputError([f"cannot be read: {getattr(error, 'strerror', None) or error}"], str(results)) from None
    rows = averaged(rows)
    if "status" in rows:
        rows = rows[rows["status"] == "ok"]
    for name in FILES:  # of an earlier run; nothing else in the folder is ours to touch
        (folder / name).unlink(missing_ok=True)
    if formula is None:
        write_text(folder / SKIPPED, "No model of the error was asked for: analysis.gam is null.\n")
        fitted = inference = None
    else:
        fitted, inference = _model(rows, formula, response, method, str(results), folder)
    shown = [name for name in columns if name not in PER_LAYER and not (RUNG in rows and name == "epochs")]
    told = importance(fitted, inference, last_rung(rows), parse_response(response).column, shown, log_columns)
    if len(told):
        write_text(folder / IMPORTANCE, told.to_csv(index=False, lineterminator="\n"))


def _model(
    rows: pd.DataFrame, formula: str, response: str, method: Method, source: str, folder: Path
) -> tuple[FittedGam, Inference] | tuple[None, None]:
    """Fit the model and write its files, or the reason why there is none."""
    try:
        check_columns(parse_formula(formula), rows.columns)
        column = parse_response(response).column
        if column not in rows:
            raise ValueError(f"--response: no column {column!r} in the table; it has {', '.join(rows.columns)}")
    except ValueError as error:
        raise InputError([str(error)], source) from None
    try:
        modelled = modelled_rows(rows, formula)
        fitted = fit_gam(formula, modelled, response, method)
        if RUNG in modelled:
            note = f"only rows after {modelled['epochs'].iloc[0]} epochs are compared, those of one rung"
            fitted = replace(fitted, warnings=(*fitted.warnings, note))
        flatters = flattery(modelled)
        if flatters is not None:
            fitted = replace(fitted, warnings=(*fitted.warnings, flatters))
        inference = write_gam(fitted, folder)
        for warning in fitted.warnings:
            print(f"warning: {warning}", file=sys.stderr)
        return fitted, inference
    except ValueError as error:  # these rows cannot bear the model: too few, or a column constant among them
        print(error, file=sys.stderr)
        write_text(folder / SKIPPED, f"{error}\n")
        return None, None

"""Rows whose errors can be compared: of a halving, those that were trained for the same number of epochs."""

import pandas as pd

from gamtune.analysis.formula import parse_formula

RUNG = "rung"
ROWS_PER_COEFFICIENT = 3  # fewer, and a warning says so


def last_rung(finished: pd.DataFrame) -> pd.DataFrame:
    """The rows of the last rung that any row finished; all rows where the study has no rungs."""
    return finished.loc[finished[RUNG] == finished[RUNG].max()] if RUNG in finished else finished


def modelled_rows(finished: pd.DataFrame, formula: str) -> pd.DataFrame:
    """The rows of the last rung that has enough for a model, or of the first; all where there are no rungs.

    Parameters
    ----------
    finished : data frame
        The finished rows of ``summary.csv``.
    formula : str
        The model's.
    """
    if RUNG not in finished:
        return finished
    enough = ROWS_PER_COEFFICIENT * parse_formula(formula).n_coefficients()
    counts = finished[RUNG].value_counts()
    bearing = counts.index[counts >= enough]
    rung = bearing.max() if len(bearing) else counts.index.min()
    return last_rung(finished[finished[RUNG] <= rung])

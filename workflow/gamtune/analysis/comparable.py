"""Rows whose errors can be compared: means over repeated trainings, and of a halving those of equally many epochs."""

import pandas as pd

from gamtune.analysis.formula import parse_formula

RUNG = "rung"
SELECTION = "selection"  # column of summaries whose validation rows are the test rows
ON_TEST_ROWS = "Chosen on the test rows: these errors flatter."
FIGURES = ("seconds", "epochs_run")
ROWS_PER_COEFFICIENT = 3  # fewer, and a warning says so


def averaged(summary: pd.DataFrame) -> pd.DataFrame:
    """One line for each row of the table, whose replicates and folds are told by the means of their figures.

    A row counts as failed if one of its trainings did: the mean of the others would flatter it. A column ``trainings``
    says how many there are; it is absent, and the summary as it was, where each row has one.

    Parameters
    ----------
    summary : data frame
        ``summary.csv``.
    """
    keys = ["name", RUNG] if RUNG in summary else ["name"]
    if not {"name", "status"} <= set(summary) or not summary.duplicated(keys).any():
        return summary
    groups = summary.groupby(keys, sort=False)
    names = [str(name) for name in summary]
    figures = [name for name in names if name in FIGURES or name.startswith(("train_", "validation_"))]
    told = summary.assign(**{name: groups[name].transform("mean") for name in figures})
    told["trainings"] = groups["name"].transform("size")
    told["status"] = groups["status"].transform(lambda statuses: "ok" if (statuses == "ok").all() else "failed")
    return told.drop_duplicates(keys).reset_index(drop=True)


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


def flattery(summary: pd.DataFrame) -> str | None:
    """What has to be said of every figure and table of rows that were chosen by the test set; None of others."""
    return ON_TEST_ROWS if SELECTION in summary else None

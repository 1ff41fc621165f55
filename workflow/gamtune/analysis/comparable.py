"""Rows whose errors can be compared: means over repeated trainings, and of a halving those of equally many epochs."""

import pandas as pd

from gamtune.gam.formula import parse_formula
from gamtune.gam.terms import ROWS_PER_COEFFICIENT

CONFIGURATION = "configuration"  # column with the identifier of a configuration's settings
RUNG = "rung"
SELECTION = "selection"  # column of summaries whose validation rows are the test rows
ON_TEST_ROWS = "Chosen on the test rows: these errors flatter."
FIGURES = ("seconds", "epochs_run")
IDENTITY, OUTCOME = ("trial", "name", "replicate"), ("status", "reason", "seconds", "epochs_run")
STATUSES = ("ok", "failed")


def is_summary(table: pd.DataFrame) -> bool:
    """Return whether a table is a study's ``summary.csv``, or was made from one, and not a table of the user's own.

    A summary begins with the identity of each trial and has the columns of its outcome next to each other; a column
    of a user's table that merely has the same name as one of them, such as ``status``, means nothing to gamtune.
    """
    names = [str(name) for name in table]
    place = names.index(OUTCOME[0]) if OUTCOME[0] in names else 0
    return (
        tuple(names[: len(IDENTITY)]) == IDENTITY
        and tuple(names[place : place + len(OUTCOME)]) == OUTCOME
        and bool(table[OUTCOME[0]].isin(STATUSES).all())
    )


def comparable_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Return the finished configurations of a summary, each the mean of its trials, or any other table as it is."""
    if not is_summary(table):
        return table
    rows = averaged(table)
    return rows[rows["status"] == "ok"]


def averaged(summary: pd.DataFrame) -> pd.DataFrame:
    """Return one line per configuration, with the means over its replicates and folds.

    Configurations are told apart by their settings (column ``configuration``), never by their names. A configuration
    counts as failed if one of its trials failed, since the mean of the others is optimistically biased. A column
    ``trainings`` holds the number of trials; it is absent, and the summary unchanged, if each configuration has one.

    Parameters
    ----------
    summary : data frame
        ``summary.csv``.
    """
    if not {CONFIGURATION, "status"} <= set(summary) or not summary.duplicated(CONFIGURATION).any():
        return summary
    groups = summary.groupby(CONFIGURATION, sort=False)
    names = [str(name) for name in summary]
    figures = [name for name in names if name in FIGURES or name.startswith(("train_", "validation_"))]
    told = summary.assign(**{name: groups[name].transform("mean") for name in figures})
    told["trainings"] = groups[CONFIGURATION].transform("size")
    told["status"] = groups["status"].transform(lambda statuses: "ok" if (statuses == "ok").all() else "failed")
    return told.drop_duplicates(CONFIGURATION).reset_index(drop=True)


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
    parsed = parse_formula(formula)
    levels = {name: int(finished[name].nunique()) for name in parsed.columns if name in finished}
    enough = ROWS_PER_COEFFICIENT * parsed.n_coefficients(levels)
    counts = finished[RUNG].value_counts()
    bearing = counts.index[counts >= enough]
    rung = bearing.max() if len(bearing) else counts.index.min()
    return last_rung(finished[finished[RUNG] <= rung])


def flattery(summary: pd.DataFrame) -> str | None:
    """What has to be said of every figure and table of rows that were chosen by the test set; None of others."""
    return ON_TEST_ROWS if SELECTION in summary else None

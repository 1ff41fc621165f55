"""Configurations whose scores can be compared: means over replicates and folds, in halving those of one rung."""

import pandas as pd

from gamtune.gam.terms import ROWS_PER_COEFFICIENT, Formula
from gamtune.results.trial_table import (
    CONFIGURATION,
    EPOCHS_RUN,
    FAILED,
    NAME,
    OK,
    OUTCOME,
    REPLICATE,
    RUNG,
    SECONDS,
    SELECTED_ON,
    STATUS,
    TRIAL,
)

ON_TEST_ROWS = "Selected on the test set: scores are optimistically biased."
MEASURED = (SECONDS, EPOCHS_RUN)  # columns that are averaged, beside the metrics
FIRST = (TRIAL, NAME, REPLICATE)  # columns by which a summary is recognised, together with `OUTCOME`


def is_summary(table: pd.DataFrame) -> bool:
    """Return whether a table is a study's ``summary.csv``, or was made from one, and not a user's own table.

    A summary begins with the columns that identify each trial, and the columns of its outcome are adjacent. A user's
    table may have columns of the same names, such as ``status``; they have no special meaning there.

    Parameters
    ----------
    table : DataFrame
        Any table.
    """
    names = [str(name) for name in table]
    start = names.index(STATUS) if STATUS in names else 0
    return (
        tuple(names[: len(FIRST)]) == FIRST
        and tuple(names[start : start + len(OUTCOME)]) == OUTCOME
        and bool(table[STATUS].isin((OK, FAILED)).all())
    )


def comparable_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Return the finished configurations of a summary, each as the mean of its trials, or any other table unchanged."""
    if not is_summary(table):
        return table
    rows = averaged(table)
    return rows[rows[STATUS] == OK]


def averaged(summary: pd.DataFrame) -> pd.DataFrame:
    """Return one line per configuration, with the means over its replicates and folds.

    Configurations are identified by their settings (column ``configuration``), not by their names. A configuration is
    failed if one of its trials failed, because the mean of the others is optimistically biased.

    Parameters
    ----------
    summary : DataFrame
        ``summary.csv``, one line per trial.

    Returns
    -------
    DataFrame
        The column ``trials`` holds the number of trials. If each configuration has one trial, the summary is
        returned unchanged, without this column.
    """
    if not {CONFIGURATION, STATUS} <= set(summary) or not summary.duplicated(CONFIGURATION).any():
        return summary
    groups = summary.groupby(CONFIGURATION, sort=False)
    names = [str(name) for name in summary]
    measured = [name for name in names if name in MEASURED or name.startswith(("train_", "validation_"))]
    means = summary.assign(**{name: groups[name].transform("mean") for name in measured})
    means["trials"] = groups[CONFIGURATION].transform("size")
    means[STATUS] = groups[STATUS].transform(lambda statuses: OK if (statuses == OK).all() else FAILED)
    return means.drop_duplicates(CONFIGURATION).reset_index(drop=True)


def last_rung(finished: pd.DataFrame) -> pd.DataFrame:
    """Return the configurations of the last rung that was finished by any; all of them if the study has no rungs."""
    return finished.loc[finished[RUNG] == finished[RUNG].max()] if RUNG in finished else finished


def modelled_rows(finished: pd.DataFrame, formula: Formula) -> pd.DataFrame:
    """Return the configurations of the last rung that has enough of them for a model.

    Parameters
    ----------
    finished : DataFrame
        The finished configurations of ``summary.csv``.
    formula : Formula
        The formula of the model.

    Returns
    -------
    DataFrame
        Configurations of the first rung if no rung has enough, and all of them if the study has no rungs.
    """
    if RUNG not in finished:
        return finished
    levels = {name: int(finished[name].nunique()) for name in formula.columns if name in finished}
    enough = ROWS_PER_COEFFICIENT * formula.n_coefficients(levels)
    counts = finished[RUNG].value_counts()
    large = counts.index[counts >= enough]
    rung = large.max() if len(large) else counts.index.min()
    return last_rung(finished[finished[RUNG] <= rung])


def selection_note(summary: pd.DataFrame) -> str | None:
    """Return the note for figures and tables of a study that selects on the test set; None for other studies."""
    return ON_TEST_ROWS if SELECTED_ON in summary else None

"""Detect columns that only identify the samples."""

import re
from typing import Any

import numpy.typing as npt

FEWEST = 20  # with fewer samples, all values of a column may differ by chance
UNNAMED = re.compile(r"Unnamed: \d+")  # name that pandas gives to an unnamed index
NAMES = re.compile(
    r"(?i:(?:.*[^a-z])?(?:id|ids|idx|index|uid|uuid|guid|key|no|nr|num|row|rows|rowid|rownames|record|serial|obs))"
    r"|.*[a-z](?:Id|ID|Key|Index|No|Nr)"
)


def identifier(name: str, cells: npt.NDArray[Any]) -> str:
    """Return why a column is an identifier, or an empty text if it is not.

    A column of text is an identifier if all texts are distinct. A column of numbers is an identifier if all numbers are
    whole and distinct and its name is a typical name of an identifier.

    Parameters
    ----------
    name : str
        Name of the column.
    cells : (n,) array
        Numbers with NaN, or texts with None, where a value is missing.

    Examples
    --------
    >>> import numpy as np
    >>> identifier("customer_id", np.arange(90.0))
    'holds 90 distinct whole numbers, so it is an identifier'
    >>> identifier("age", np.arange(90.0))
    ''
    """
    import pandas as pd  # imported here because Snakemake imports this module and does not need pandas

    present = cells[~pd.isna(cells)]
    if len(present) < FEWEST or (cells.dtype != object and not NAMES.fullmatch(name)):
        return ""
    if cells.dtype != object and (present % 1 != 0).any():
        return ""
    if len(pd.unique(present)) < len(present):
        return ""
    kind = "texts" if cells.dtype == object else "whole numbers"
    return f"holds {len(present)} distinct {kind}, so it is an identifier"

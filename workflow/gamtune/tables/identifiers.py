"""Columns that identify the samples and so cannot be learned from."""

import re
from typing import Any

import numpy.typing as npt

FEWEST = 20  # samples below which all values of a column may differ by chance
UNNAMED = re.compile(r"Unnamed: \d+")  # the name that pandas gives to an index without a name
NAMES = re.compile(
    r"(?i:(?:.*[^a-z])?(?:id|ids|idx|index|uid|uuid|guid|key|no|nr|num|row|rows|rowid|rownames|record|serial|obs))"
    r"|.*[a-z](?:Id|ID|Key|Index|No|Nr)"
)


def identifier(name: str, cells: npt.NDArray[Any]) -> str:
    """Return why a column identifies the samples, or an empty text.

    A column of text does if all texts differ. A column of numbers does if all are whole, all differ, and its name is
    that of an identifier.

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
    'holds 90 different whole numbers, as identifiers do'
    >>> identifier("age", np.arange(90.0))
    ''
    """
    import pandas as pd  # which Snakemake, reading the header of a table, does without

    present = cells[~pd.isna(cells)]
    if len(present) < FEWEST or (cells.dtype != object and not NAMES.fullmatch(name)):
        return ""
    if cells.dtype != object and (present % 1 != 0).any():
        return ""
    if len(pd.unique(present)) < len(present):
        return ""
    return f"holds {len(present)} different {'texts' if cells.dtype == object else 'whole numbers'}, as identifiers do"

"""Blank cells of a raw table, and categories as text."""

import re
from typing import Any

import pandas as pd

WHOLE = re.compile(r"^(-?\d+)\.0$")


def is_number(column: "pd.Series[Any]") -> bool:
    """Return whether the type of a column is a real number."""
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_complex_dtype(column)


def blank(column: "pd.Series[Any]") -> "pd.Series[bool]":
    """Return which cells are missing or contain only spaces."""
    empty = column.isna()
    return empty if is_number(column) else empty | (column.astype(str).str.strip() == "")


def as_text(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return a column of categories as text, None where a cell is blank.

    Whole numbers are written without a decimal point, because pandas turns 1000 into 1000.0 if another cell of the
    column is missing.

    Parameters
    ----------
    column : (n,) series
        Cells of any type.

    Returns
    -------
    (n,) series of object
        Text or None.
    """
    return column.astype(object).where(~blank(column), None).map(_written, na_action="ignore")


def _written(cell: Any) -> str:
    return WHOLE.sub(r"\1", str(cell))

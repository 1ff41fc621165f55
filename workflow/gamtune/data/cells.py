"""Cells of a raw table: which hold nothing, and a column of categories as text."""

import re
from typing import Any

import pandas as pd

WHOLE = re.compile(r"^(-?\d+)\.0$")


def is_number(column: "pd.Series[Any]") -> bool:
    """Whether the column's type is a real number."""
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_complex_dtype(column)


def blank(column: "pd.Series[Any]") -> "pd.Series[bool]":
    """Whether a cell holds nothing."""
    empty = column.isna()
    return empty if is_number(column) else empty | (column.astype(str).str.strip() == "")


def as_text(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """A column of categories, None where a cell holds nothing.

    A whole number is spelt without a point: programs make 1000.0 of 1000 where another row of its column is empty.
    """
    return column.astype(object).where(~blank(column), None).map(_spelt, na_action="ignore")


def _spelt(cell: Any) -> str:
    return WHOLE.sub(r"\1", str(cell))

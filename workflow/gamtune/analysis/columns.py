"""What a column of the summary is, wherever one is drawn or ranked."""

from collections.abc import Collection

import numpy as np
import pandas as pd

RESPONSE = "validation_mse"  # the error that rows are compared by


def is_numeric(values: "pd.Series") -> bool:
    """Whether a column holds numbers; truth values are levels."""
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def is_whole(values: "pd.Series") -> bool:
    """Whether a column of numbers holds whole ones only."""
    return bool((values == values.round()).all())


def varies(values: "pd.Series") -> bool:
    """Whether a column has more than one value, gaps aside."""
    return len(values.dropna().unique()) > 1


def is_logarithmic(values: "pd.Series", name: str, log_columns: Collection[str]) -> bool:
    """Return whether a column of numbers is drawn on a logarithmic axis: if it is one of these and above 0."""
    return name in log_columns and float(values.min()) > 0


def on_its_scale(values: "pd.Series", name: str, log_columns: Collection[str]) -> "pd.Series[float]":
    """Return a column of numbers on the scale of its axis: its base 10 logarithm if that is logarithmic."""
    numbers = values.astype(float)
    return numbers.transform(np.log10) if is_logarithmic(values, name, log_columns) else numbers

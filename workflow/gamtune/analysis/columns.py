"""Properties of the columns of a summary that figures and rankings depend on."""

from collections.abc import Collection

import numpy as np
import pandas as pd

RESPONSE = "validation_mse"  # metric by which configurations are compared


def is_numeric(values: "pd.Series") -> bool:
    """Return whether a column holds numbers; Boolean values are levels of a category."""
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def is_whole(values: "pd.Series") -> bool:
    """Return whether all numbers of a column are whole."""
    return bool((values == values.round()).all())


def varies(values: "pd.Series") -> bool:
    """Return whether a column has more than one value, without missing values."""
    return len(values.dropna().unique()) > 1


def is_logarithmic(values: "pd.Series", name: str, log_columns: Collection[str]) -> bool:
    """Return whether a column of numbers has a logarithmic axis: it is in ``log_columns`` and above 0."""
    return name in log_columns and float(values.min()) > 0


def on_its_scale(values: "pd.Series", name: str, log_columns: Collection[str]) -> "pd.Series[float]":
    """Return a column of numbers on the scale of its axis: its base 10 logarithm if the axis is logarithmic."""
    numbers = values.astype(float)
    return numbers.transform(np.log10) if is_logarithmic(values, name, log_columns) else numbers

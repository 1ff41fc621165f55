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


def on_its_scale(values: "pd.Series", name: str, log_columns: Collection[str]) -> "tuple[str, pd.Series[float]]":
    """A column of numbers as it is drawn, with its name: log10 where it spans orders of magnitude."""
    numbers = values.astype(float)
    if name in log_columns and numbers.min() > 0:
        return f"log10({name})", numbers.transform(np.log10)
    return name, numbers

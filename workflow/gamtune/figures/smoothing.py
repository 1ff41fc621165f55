"""Curves through a scatter plot: loess, or a polynomial if a column has few distinct values."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import stdtrit  # scipy.stats takes half a second to import

SPAN = 0.75  # R's default: share of the points that a local fit uses
LOCAL_VALUES = 6  # number of distinct values that a local parabola and its band need


def loess_is_sound(x: npt.NDArray[np.float64]) -> bool:
    """Return whether every neighbourhood of ``SPAN`` of the points has at least ``LOCAL_VALUES`` distinct values.

    Otherwise local parabolas are not determined, and loess warns or returns meaningless bands.

    Parameters
    ----------
    x : (n,) float64
        Values of the points.
    """
    rows, size = np.sort(x), int(SPAN * len(x))
    if size < LOCAL_VALUES:
        return False
    changes = np.concatenate(([0], np.cumsum(np.diff(rows) > 0)))
    return bool((changes[size - 1 :] - changes[: len(x) - size + 1]).min() + 1 >= LOCAL_VALUES)


def polynomial(data: pd.DataFrame, xseq: npt.NDArray[np.float64], params: dict[str, Any]) -> pd.DataFrame:
    """Fit a parabola, or a straight line if there are fewer than 4 distinct values, with the band of its mean.

    This is a method for plotnine's ``stat_smooth``, whose own ``lm`` draws the much wider band of single points.

    Parameters
    ----------
    data : DataFrame
        Columns x and y.
    xseq : (m,) float64
        Values of x at which the curve is drawn.
    params : dict
        ``level`` is the level of the band.

    Returns
    -------
    DataFrame
        Columns x, y, ymin, ymax and se.
    """
    x, y = data["x"].to_numpy(float), data["y"].to_numpy(float)
    centre, width = x.mean(), np.ptp(x) or 1.0
    distinct = len(np.unique(x))
    degree = 2 if distinct >= 4 else min(distinct - 1, 1)
    design = np.vander((x - centre) / width, degree + 1)
    inverse = np.linalg.pinv(design)
    coefficients = inverse @ y
    drawn = np.vander((np.asarray(xseq) - centre) / width, degree + 1)
    free = max(len(x) - degree - 1, 1)
    variance = float(((y - design @ coefficients) ** 2).sum()) / free
    se = np.sqrt(variance * ((drawn @ inverse) ** 2).sum(axis=1))
    half = stdtrit(free, (1 + params["level"]) / 2) * se
    middle = drawn @ coefficients
    return pd.DataFrame({"x": xseq, "y": middle, "ymin": middle - half, "ymax": middle + half, "se": se})

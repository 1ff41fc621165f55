"""Rounding of draws and probabilities, shared by the distributions."""

from gamtune.config.distributions import FloatArray, Pair

# Draws are rounded to 6 significant digits. They are then readable in a table, and the identifiers of trials do not
# depend on the machine, although the last bits of special functions do.
SIGNIFICANT_DIGITS = 6


def rounded(values: FloatArray, support: Pair) -> list[float]:
    """Return draws, rounded to `SIGNIFICANT_DIGITS` significant digits and clipped to the support.

    Parameters
    ----------
    values : (n,) float64
        The draws.
    support : (float, float)
        Smallest and largest value of the distribution.

    Examples
    --------
    >>> import numpy as np
    >>> rounded(np.array([0.12345678, 0.9]), (0.0, 0.5))
    [0.123457, 0.5]
    """
    low, high = support
    return [min(max(float(f"{value:.{SIGNIFICANT_DIGITS}g}"), low), high) for value in values]


def clipped(probability: float) -> float:
    """Return a probability clipped to 0 to 1, since rounding errors may have moved it outside."""
    return min(max(probability, 0.0), 1.0)

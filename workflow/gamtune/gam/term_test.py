"""Wood's test that the effect of one penalised term is zero, as mgcv prints it.

Source: Wood (2013), On p-values for smooth components of an extended generalized additive model, Biometrika 100.
"""

from __future__ import annotations

import numpy as np
from scipy import linalg, stats

from gamtune.gam.covariates import FloatArray

QUADRATURE_POINTS = 64


def wood_test(
    design: FloatArray, coefficients: FloatArray, covariance: FloatArray, ref_df: float, residual_df: float
) -> tuple[float, float, float]:
    """Test whether the effect of a penalised term is zero everywhere.

    The covariance of the effect is inverted on its leading ``ref_df`` eigenvectors only, because penalised directions
    carry no evidence. A fractional ``ref_df`` divides its last unit between two eigenvectors, whose signs are
    arbitrary: F and p are means over both signs.

    Parameters
    ----------
    design : (n, p) float64
        Columns of the term.
    coefficients : (p,) float64
        Coefficients of the term.
    covariance : (p, p) float64
        Bayesian posterior covariance of the coefficients.
    ref_df : float
        Reference degrees of freedom of the term.
    residual_df : float
        Residual degrees of freedom of the whole model.

    Returns
    -------
    ref_df : float
        Reference degrees of freedom that were used.
    f : float
        Statistic.
    p : float
        p-value.
    """
    triangle = linalg.qr(design, mode="r")[0][: design.shape[1]]
    eigenvalues, vectors = np.linalg.eigh(triangle @ covariance @ triangle.T)
    eigenvalues, vectors = eigenvalues[::-1], vectors[:, ::-1]
    usable = int(np.sum(eigenvalues > eigenvalues[0] * np.finfo(float).eps ** 0.9))
    ref_df = min(max(ref_df, 1.0), float(len(coefficients)))
    if np.ceil(ref_df) > usable:
        ref_df = float(usable)
    whole = int(ref_df)
    part = ref_df - whole
    z = (vectors.T @ (triangle @ coefficients))[:usable] / np.sqrt(eigenvalues[:usable])
    if part == 0:
        statistic = float(np.square(z[:whole]).sum())
        return ref_df, statistic / ref_df, float(stats.f.sf(statistic / ref_df, ref_df, residual_df))
    certain = float(np.square(z[: whole - 1]).sum())
    last, next_ = z[whole - 1], z[whole]
    covary = np.sqrt(part * (1 - part) / 2)
    both = [certain + last**2 + part * next_**2 + sign * 2 * covary * last * next_ for sign in (1, -1)]
    p = float(np.mean([mixture_survival(statistic, whole - 1, part, residual_df) for statistic in both]))
    return ref_df, float(np.mean(both)) / ref_df, p


def mixture_survival(statistic: float, ones: int, part: float, residual_df: float) -> float:
    """Return the tail probability of the test's reference distribution.

    It is P(chi2_ones + a chi2_1 + b chi2_1 > statistic * chi2_r / r) with a + b = 1 + part and a b = part (1 + part) /
    2. In polar coordinates the sum is a chi-square with ones + 2 degrees of freedom times an independent factor, so the
    probability is a mean of F probabilities over that factor, which is exact in the far tail as well.

    Parameters
    ----------
    statistic : float
        Observed statistic.
    ones : int
        Number of eigenvectors that count in full.
    part : float
        Fraction of the reference degrees of freedom, between 0 and 1.
    residual_df : float
        Residual degrees of freedom r of the model.
    """
    total = 1 + part
    larger = (total + np.sqrt(total * (2 - total))) / 2
    angles = (np.arange(QUADRATURE_POINTS) + 0.5) * np.pi / (2 * QUADRATURE_POINTS)
    factor = larger * np.cos(angles) ** 2 + (total - larger) * np.sin(angles) ** 2
    weights = np.ones(1)
    if ones:
        nodes, weights = np.polynomial.legendre.leggauss(QUADRATURE_POINTS)
        pair = 1 - ((nodes + 1) / 2) ** (2 / ones)  # share of the last two in the sum, Beta(1, ones/2)
        factor = 1 - pair[:, np.newaxis] * (1 - factor)
        weights = weights / 2
    tails = stats.f.sf(statistic / factor / (ones + 2), ones + 2, residual_df)
    return float(weights @ np.atleast_2d(tails).mean(axis=1))

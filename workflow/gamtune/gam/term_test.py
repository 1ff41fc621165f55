"""Wood's (2013) test of one penalised term, On p-values for smooth components, Biometrika 100."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import linalg, stats

FloatArray = npt.NDArray[np.float64]

QUADRATURE_POINTS = 64


def wood_test(
    design: FloatArray, coefficients: FloatArray, covariance: FloatArray, ref_df: float, residual_df: float
) -> tuple[float, float, float]:
    """Wood's (2013) test of a penalised term against zero: reference degrees of freedom, F and p-value.

    The effect's covariance is inverted on its leading ``ref_df`` directions only, since penalised directions hold no
    evidence. A fractional ``ref_df`` shares its last unit between two eigenvectors, whose signs are arbitrary: F and
    p are means over both.

    Parameters
    ----------
    design : (n, p)
        The term's columns.
    coefficients, covariance : (p,), (p, p)
        With their Bayesian posterior covariance.
    ref_df, residual_df : float
        The term's reference degrees of freedom, and n less those of the whole model.
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
    """P(chi2_ones + a chi2_1 + b chi2_1 > statistic * chi2_r / r) with a + b = 1 + part, a b = part (1 + part) / 2.

    In polar coordinates the sum is a chi-square with ones + 2 degrees of freedom times an independent factor, so
    the probability is a mean of F probabilities over that factor: exact in the far tail as well.
    """
    total = 1 + part
    larger = (total + np.sqrt(total * (2 - total))) / 2
    angles = (np.arange(QUADRATURE_POINTS) + 0.5) * np.pi / (2 * QUADRATURE_POINTS)
    factor = larger * np.cos(angles) ** 2 + (total - larger) * np.sin(angles) ** 2
    weights = np.ones(1)
    if ones:
        nodes, weights = np.polynomial.legendre.leggauss(QUADRATURE_POINTS)
        pair = 1 - ((nodes + 1) / 2) ** (2 / ones)  # the share of the two in the sum, Beta(1, ones/2)
        factor = 1 - pair[:, np.newaxis] * (1 - factor)
        weights = weights / 2
    tails = stats.f.sf(statistic / factor / (ones + 2), ones + 2, residual_df)
    return float(weights @ np.atleast_2d(tails).mean(axis=1))

"""Penalised least squares on fixed bases, and the smoothing parameters that minimise GCV or REML.

All computations after one QR decomposition are on p by p matrices, so that hundreds of smoothing parameters can be
tried in half a second. The optimiser follows the gradient of the criterion from several starts, because both criteria
can have several local minima.

Source: Wood (2011), Fast stable restricted maximum likelihood, JRSS B 73 (criteria and gradients).
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import linalg, optimize

from gamtune.gam.covariates import FloatArray
from gamtune.gam.errors import DataError
from gamtune.gam.smooths import Basis

Method = Literal["GCV", "REML"]

STARTS = np.arange(-6.0, 9.1, 1.5)  # log smoothing parameters, the same for all terms
BOUNDS = (-12.0, 18.0)  # of log smoothing parameters; outside them the fit no longer changes
TIED = 0.05  # two minima whose criteria differ by less, in log-likelihood units, fit the data equally well
DISTINCT_EDF = 0.5  # two minima whose effective degrees of freedom differ by more are different models
SMALLEST_SINGULAR_VALUE = 1e-8  # of columns and penalties scaled to length 1; terms below it are collinear
ROUNDING = 4 * float(np.finfo(float).eps)  # largest standard deviation, relative to the values, of a constant response
ONE_TERM = 0.9  # share of a null direction above which it lies in one term
INVOLVED = 1e-6  # share of a null direction above which a term contributes to it


@dataclass(frozen=True)
class Scale:
    """Mean and standard deviation of a response, which make a fit independent of its units."""

    mean: float
    sd: float

    @classmethod
    def of(cls, y: FloatArray) -> Scale:
        """Return the scale of a response, (n,).

        Raises
        ------
        DataError
            If the response is constant, apart from rounding errors.
        """
        largest = float(np.abs(y).max())
        shares = y / (largest or 1.0)  # their squares neither overflow nor underflow
        if shares.std() <= ROUNDING:
            raise DataError(f"the response is {y[0]:.6g} in every row; choose a response that varies")
        return cls(float(shares.mean()) * largest, float(shares.std()) * largest)

    def standardised(self, y: FloatArray) -> FloatArray:
        """Return the response, (n,), with mean 0 and standard deviation 1."""
        return np.asarray((y - self.mean) / self.sd)


def blocks(bases: tuple[Basis, ...]) -> list[slice]:
    """Return the slice of each term's coefficients; the intercept comes first."""
    ends = 1 + np.cumsum([basis.size for basis in bases])
    return [slice(int(end) - basis.size, int(end)) for end, basis in zip(ends, bases, strict=True)]


@dataclass(frozen=True)
class Solution:
    """Penalised least squares at given smoothing parameters.

    Attributes
    ----------
    root : (p, p) float64
        Upper triangle R with R'R = X'X + S.
    rotated : (p,) float64
        Projection of the response, so that the coefficients solve ``root @ coefficients = rotated``.
    coefficients : (p,) float64
        Coefficients.
    inverse : (p, p) float64
        Inverse of X'X + S.
    penalty : (p, p) float64
        Weighted sum S of the penalties.
    deviance : float
        Residual sum of squares.
    """

    root: FloatArray
    rotated: FloatArray
    coefficients: FloatArray
    inverse: FloatArray
    penalty: FloatArray
    deviance: float


class Problem:
    """The criteria of one response on one set of bases, as functions of the log smoothing parameters.

    Parameters
    ----------
    bases : tuple of Basis
        The terms.
    design : (n, p) float64
        Intercept and columns of all terms.
    y : (n,) float64
        Response; it should be standardised, because the optimiser stops at an absolute change of the criterion.

    Raises
    ------
    DataError
        If terms are collinear on these rows.
    """

    def __init__(self, bases: tuple[Basis, ...], design: FloatArray, y: FloatArray) -> None:
        self.bases = bases
        self.blocks = blocks(bases)
        self.design = design
        self.y = y
        self.n, self.p = design.shape
        self.null_deviance = float(np.square(y - y.mean()).sum())
        self.q, self.r = linalg.qr(design, mode="economic")
        self.projected, self.outside = self.project(y)
        self.gram = self.r.T @ self.r
        self.penalties = [
            (block, penalty) for block, basis in zip(self.blocks, bases, strict=True) for penalty in basis.penalties
        ]
        self.penalty_roots = [self._penalty_root(block, penalty) for block, penalty in self.penalties]
        self.unpenalised = self.p - sum(len(basis.spectrum) for basis in bases)
        self.reml_constant = sum(basis.reml_constant for basis in bases)
        self._check_identifiable()

    def project(self, responses: FloatArray) -> tuple[FloatArray, Any]:
        """Project responses on the columns.

        Parameters
        ----------
        responses : (n,) or (n, m) float64
            One response or several.

        Returns
        -------
        projected : (p,) or (p, m) float64
            Q'Y, where Q is orthonormal.
        outside : float or (m,) float64
            Deviance that remains with any coefficients.
        """
        projected = self.q.T @ responses
        return projected, np.square(responses - self.q @ projected).sum(axis=0)

    def with_response(self, y: FloatArray) -> Problem:
        """Return the problem with another response, (n,); the decomposition of the columns is shared."""
        other = copy(self)
        other.y = y
        other.null_deviance = float(np.square(y - y.mean()).sum())
        other.projected, other.outside = self.project(y)
        return other

    def _check_identifiable(self) -> None:
        """Raise an error if some combination of columns is zero and not penalised."""
        root = np.vstack([self.r, *self.penalty_roots])
        _, sizes, directions = linalg.svd(root / np.sqrt(np.square(root).sum(axis=0)), full_matrices=False)
        if sizes[-1] > SMALLEST_SINGULAR_VALUE:
            return
        weights = np.array([np.square(directions[-1, block]).sum() for block in self.blocks])
        if weights.max() > ONE_TERM * weights.sum():
            label = self.bases[int(weights.argmax())].label
            raise DataError(f"{label}: its columns are collinear on these rows; leave it out or add rows")
        *others, last = [
            basis.label for basis, weight in zip(self.bases, weights, strict=True) if weight > INVOLVED * weights.sum()
        ]
        raise DataError(f"{', '.join(others)} and {last} are not distinguishable on these rows; remove one or add rows")

    def _penalty_root(self, block: slice, penalty: FloatArray) -> FloatArray:
        """Return a root A of the penalty, (rank, p), with A'A equal to the penalty."""
        eigenvalues, vectors = np.linalg.eigh(penalty)
        penalised = eigenvalues > eigenvalues[-1] * 1e-12
        root = np.zeros((int(penalised.sum()), self.p))
        root[:, block] = np.sqrt(eigenvalues[penalised])[:, np.newaxis] * vectors[:, penalised].T
        return root

    def solve(self, log_smoothing: FloatArray) -> Solution:
        """Return the fit at given log smoothing parameters, (penalties,).

        The columns and the roots of the penalties are stacked and decomposed by QR. The normal equations would square
        the condition number, which is large if a column is skewed, such as a learning rate with a log-uniform prior.
        """
        roots = [np.exp(weight / 2) * root for weight, root in zip(log_smoothing, self.penalty_roots, strict=True)]
        (root,) = linalg.qr(np.vstack([self.r, *roots]), mode="r", check_finite=False)
        root = root[: self.p]
        inverse_root = linalg.solve_triangular(root, np.eye(self.p), check_finite=False)
        rotated = inverse_root.T @ (self.r.T @ self.projected)
        coefficients = inverse_root @ rotated
        penalty = np.zeros((self.p, self.p))
        for weight, (block, own) in zip(np.exp(log_smoothing), self.penalties, strict=True):
            penalty[block, block] += weight * own
        return Solution(
            root=root,
            rotated=rotated,
            coefficients=coefficients,
            inverse=inverse_root @ inverse_root.T,
            penalty=penalty,
            deviance=float(self.outside + np.square(self.projected - self.r @ coefficients).sum()),
        )

    def edf(self, solution: Solution) -> float:
        """Return the effective degrees of freedom of the whole model."""
        return float(np.sum(solution.inverse * self.gram))

    def gcv(self, log_smoothing: FloatArray) -> tuple[float, FloatArray]:
        """Return n/2 log GCV, which is in units of the log-likelihood, and its gradient, (penalties,)."""
        fit = self.solve(log_smoothing)
        free = self.n - self.edf(fit)
        shrinkage = fit.inverse @ self.gram @ fit.inverse
        pull = fit.inverse @ (fit.penalty @ fit.coefficients)
        gradient = np.empty(len(log_smoothing))
        for j, (block, penalty) in enumerate(self.penalties):
            weighted = np.exp(log_smoothing[j]) * penalty
            deviance = 2 * pull[block] @ weighted @ fit.coefficients[block]
            gradient[j] = (
                self.n / 2 * deviance / fit.deviance - self.n * np.sum(shrinkage[block, block] * weighted) / free
            )
        return self.n / 2 * float(np.log(self.n * fit.deviance / free**2)), gradient

    def reml(self, log_smoothing: FloatArray) -> tuple[float, FloatArray]:
        """Return the negative restricted log-likelihood, profiled over the residual variance, and its gradient."""
        fit = self.solve(log_smoothing)
        penalised = fit.deviance + float(fit.coefficients @ fit.penalty @ fit.coefficients)
        free = self.n - self.unpenalised
        smoothing = np.exp(log_smoothing)
        gradient = np.empty(len(smoothing))
        for j, (block, penalty) in enumerate(self.penalties):
            weighted = smoothing[j] * penalty
            own = fit.coefficients[block] @ weighted @ fit.coefficients[block]
            gradient[j] = (free * own / penalised + np.sum(fit.inverse[block, block] * weighted)) / 2
        start = 0
        for basis in self.bases:
            eigenvalues = basis.spectrum * smoothing[start : start + len(basis.penalties)]
            shares = (eigenvalues / eigenvalues.sum(axis=1, keepdims=True)).sum(axis=0)
            gradient[start : start + len(shares)] -= shares / 2
            start += len(basis.penalties)
        value = self._restricted(fit, np.array([penalised]), smoothing)
        return float(value[0]), gradient

    def _restricted(self, fit: Solution, penalised: FloatArray, smoothing: FloatArray) -> FloatArray:
        """Return the negative restricted log-likelihood of responses with given penalised deviances, (m,)."""
        free = self.n - self.unpenalised
        constant = float(np.log(np.abs(np.diag(fit.root))).sum()) + self.reml_constant
        start = 0
        for basis in self.bases:
            constant -= np.log(basis.spectrum @ smoothing[start : start + len(basis.penalties)]).sum() / 2
            start += len(basis.penalties)
        return np.asarray(free / 2 * (1 + np.log(2 * np.pi * penalised / free)) + constant, dtype=np.float64)

    def criteria(
        self, method: Method, log_smoothing: FloatArray, projected: FloatArray, outside: FloatArray
    ) -> tuple[FloatArray, FloatArray, float, FloatArray]:
        """Fit many responses at the same smoothing parameters.

        Parameters
        ----------
        method : {"GCV", "REML"}
            The criterion.
        log_smoothing : (penalties,) float64
            Log smoothing parameters.
        projected : (p, m) float64
            Projected responses, as `project` returns them.
        outside : (m,) float64
            Deviance of each response that remains with any coefficients.

        Returns
        -------
        criterion : (m,) float64
            GCV or REML criterion.
        deviance : (m,) float64
            Residual sums of squares.
        edf : float
            Effective degrees of freedom.
        coefficients : (p, m) float64
            Coefficients.
        """
        fit = self.solve(log_smoothing)
        coefficients = fit.inverse @ (self.r.T @ projected)
        deviance = outside + np.square(projected - self.r @ coefficients).sum(axis=0)
        edf = self.edf(fit)
        if method == "GCV":
            return self.n / 2 * np.log(self.n * deviance / (self.n - edf) ** 2), deviance, edf, coefficients
        penalised = deviance + np.einsum("ij,ij->j", coefficients, fit.penalty @ coefficients)
        return self._restricted(fit, penalised, np.exp(log_smoothing)), deviance, edf, coefficients

    def descend(self, method: Method, start: FloatArray, options: dict[str, float]) -> optimize.OptimizeResult:
        """Minimise a criterion from one start, (penalties,), with options of SciPy's L-BFGS-B."""
        return optimize.minimize(
            self.gcv if method == "GCV" else self.reml,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=[BOUNDS] * len(self.penalties),
            options=options,
        )

    def choose(self, method: Method) -> FloatArray:
        """Return the log smoothing parameters, (penalties,), at the minimum of a criterion.

        Among minima whose criteria are within ``TIED`` of the lowest, the one with most effective degrees of freedom is
        returned: the data do not distinguish them, and the smoother one would give confidence bands that are too
        narrow.
        """
        if not self.penalties:
            return np.zeros(0)
        options = {"maxiter": 200, "ftol": 1e-11, "gtol": 1e-6}
        minima = [self.descend(method, np.full(len(self.penalties), start), options) for start in STARTS]
        edf = np.array([self.edf(self.solve(minimum.x)) for minimum in minima])
        values = np.array([minimum.fun for minimum in minima])
        best = int(values.argmin())
        tied = (values <= values[best] + TIED) & (edf > edf[best] + DISTINCT_EDF)
        if tied.any():
            flexible = edf >= edf[tied].max() - DISTINCT_EDF
            best = int(np.where(tied & flexible, values, np.inf).argmin())
        return np.asarray(minima[best].x, dtype=np.float64)

    def deviance_without(self, block: slice, fit: Solution) -> float:
        """Return the deviance of the model without one term, at the same smoothing parameters."""
        kept = np.r_[0 : block.start, block.stop : self.p]
        coefficients = linalg.lstsq(fit.root[:, kept], fit.rotated)[0]
        return float(self.outside + np.square(self.projected - self.r[:, kept] @ coefficients).sum())

"""Penalised least squares on fixed bases, and the smoothing parameters that GCV or REML choose for it.

Everything after one QR decomposition is p by p, so that hundreds of smoothing parameters are tried in half a second;
they follow the gradient of the criterion from several starts, since both criteria have local minima.

Source: Wood (2011), Fast stable REML, JRSS B 73 (criteria and gradients).
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import linalg, optimize

from gamtune.errors import InputError
from gamtune.gam.covariates import FloatArray
from gamtune.gam.smooths import Basis
from gamtune.numbers import compact

Method = Literal["GCV", "REML"]

STARTS = np.arange(-6.0, 9.1, 1.5)  # log smoothing parameters, all terms alike
BOUNDS = (-12.0, 18.0)  # beyond, a term no longer changes: the data weigh as much as the penalty at 0
TIED = 0.05  # log-likelihood units within which two minima are one answer to the data
DISTINCT_EDF = 0.5  # degrees of freedom from which two minima are two answers
SMALLEST_SINGULAR_VALUE = 1e-8  # of columns and penalties scaled to length 1; below, two terms say the same
ROUNDING = 4 * float(np.finfo(float).eps)  # spread of a response, as a share of its largest value, that is no spread
ONE_TERM = 0.9  # share of a null direction from which it lies in one term
INVOLVED = 1e-6  # share of a null direction from which a term has a part in it


@dataclass(frozen=True)
class Scale:
    """The mean and the standard deviation of a response, so that its units change nothing in a fit."""

    mean: float
    sd: float

    @classmethod
    def of(cls, y: FloatArray) -> Scale:
        """Return the scale of a response.

        Raises
        ------
        InputError
            If the response is constant, apart from rounding.
        """
        largest = float(np.abs(y).max())
        shares = y / (largest or 1.0)  # their squares neither overflow nor underflow
        if shares.std() <= ROUNDING:
            raise InputError([f"the response is {compact(float(y[0]), 6)} in every row: there is nothing to explain"])
        return cls(float(shares.mean()) * largest, float(shares.std()) * largest)

    def standardised(self, y: FloatArray) -> FloatArray:
        """Return a response with mean 0 and standard deviation 1."""
        return np.asarray((y - self.mean) / self.sd)


def blocks(bases: tuple[Basis, ...]) -> list[slice]:
    """Where each term's coefficients stand; the intercept is the first of all."""
    ends = 1 + np.cumsum([basis.size for basis in bases])
    return [slice(int(end) - basis.size, int(end)) for end, basis in zip(ends, bases, strict=True)]


@dataclass(frozen=True)
class Solution:
    """Penalised least squares at given smoothing parameters."""

    root: FloatArray  # upper triangle whose square is X'X + S
    rotated: FloatArray  # the response in the rows of ``root``
    coefficients: FloatArray
    inverse: FloatArray  # of X'X + S
    penalty: FloatArray  # S
    deviance: float


class Problem:
    """One response on one set of bases: criteria and their gradients as functions of the log smoothing parameters.

    The response should be standardised: the optimiser stops at an absolute change of the criterion.
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
        """Q'Y of one response or several, (p,) or (p, m), and the deviance of each that no coefficient reaches."""
        projected = self.q.T @ responses
        return projected, np.square(responses - self.q @ projected).sum(axis=0)

    def with_response(self, y: FloatArray) -> Problem:
        """The same columns with another response; nothing of them is computed again."""
        other = copy(self)
        other.y = y
        other.null_deviance = float(np.square(y - y.mean()).sum())
        other.projected, other.outside = self.project(y)
        return other

    def _check_identifiable(self) -> None:
        """Refuse a model in which some combination of columns is zero and no penalty minds it."""
        root = np.vstack([self.r, *self.penalty_roots])
        _, sizes, directions = linalg.svd(root / np.sqrt(np.square(root).sum(axis=0)), full_matrices=False)
        if sizes[-1] > SMALLEST_SINGULAR_VALUE:
            return
        weights = np.array([np.square(directions[-1, block]).sum() for block in self.blocks])
        if weights.max() > ONE_TERM * weights.sum():
            label = self.bases[int(weights.argmax())].label
            raise InputError([f"{label}: its columns say the same on these rows; leave it out or add rows"])
        *others, last = [
            basis.label for basis, weight in zip(self.bases, weights, strict=True) if weight > INVOLVED * weights.sum()
        ]
        raise InputError(
            [f"{', '.join(others)} and {last} cannot be told apart on these rows; leave one out or add rows"]
        )

    def _penalty_root(self, block: slice, penalty: FloatArray) -> FloatArray:
        """Rows whose squares sum to the penalty, (rank, p)."""
        eigenvalues, vectors = np.linalg.eigh(penalty)
        bent = eigenvalues > eigenvalues[-1] * 1e-12
        root = np.zeros((int(bent.sum()), self.p))
        root[:, block] = np.sqrt(eigenvalues[bent])[:, np.newaxis] * vectors[:, bent].T
        return root

    def solve(self, log_smoothing: FloatArray) -> Solution:
        """Coefficients at given smoothing parameters.

        By QR of the columns above the penalties' roots: the normal equations would square a condition number that
        is large already where a column is skewed, such as a learning rate drawn on a logarithmic scale.
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
        """Effective degrees of freedom of the whole model."""
        return float(np.sum(solution.inverse * self.gram))

    def gcv(self, log_smoothing: FloatArray) -> tuple[float, FloatArray]:
        """n/2 log GCV, which is in units of the log likelihood, and its gradient."""
        fit = self.solve(log_smoothing)
        free = self.n - self.edf(fit)
        shrink = fit.inverse @ self.gram @ fit.inverse
        pull = fit.inverse @ (fit.penalty @ fit.coefficients)
        gradient = np.empty(len(log_smoothing))
        for j, (block, penalty) in enumerate(self.penalties):
            weighted = np.exp(log_smoothing[j]) * penalty
            deviance = 2 * pull[block] @ weighted @ fit.coefficients[block]
            gradient[j] = self.n / 2 * deviance / fit.deviance - self.n * np.sum(shrink[block, block] * weighted) / free
        return self.n / 2 * float(np.log(self.n * fit.deviance / free**2)), gradient

    def reml(self, log_smoothing: FloatArray) -> tuple[float, FloatArray]:
        """Negative restricted log likelihood, the residual variance at its optimum, and its gradient."""
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
        """Negative restricted log likelihood of responses with these penalised deviances, the variance at its best."""
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
        """Many responses at once, the smoothing parameters given.

        Parameters
        ----------
        projected : (p, m)
            Q'Y of the columns' QR decomposition.
        outside : (m,)
            Deviance of each response that no coefficient reaches.

        Returns
        -------
        tuple
            The criterion (m,), the deviance (m,), the effective degrees of freedom and the coefficients (p, m).
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
        """Follow the criterion's gradient downhill from one start."""
        return optimize.minimize(
            self.gcv if method == "GCV" else self.reml,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=[BOUNDS] * len(self.penalties),
            options=options,
        )

    def choose(self, method: Method) -> FloatArray:
        """Log smoothing parameters at the minimum of the criterion.

        Of minima that lie within ``TIED`` of the lowest the most flexible is taken: the data do not tell them
        apart, and of the two it is the smooth one that would claim bands too narrow.
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
        """Deviance of the model without one term, all smoothing parameters as they are."""
        kept = np.r_[0 : block.start, block.stop : self.p]
        coefficients = linalg.lstsq(fit.root[:, kept], fit.rotated)[0]
        return float(self.outside + np.square(self.projected - self.r[:, kept] @ coefficients).sum())

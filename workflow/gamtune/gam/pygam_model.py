"""The fitted model as a ``pygam.LinearGAM`` with the terms of this engine.

pyGAM adds a ridge penalty of 1.5e-8 to every coefficient, which changes a fit whose columns differ much in size. The
columns of each term are therefore written in the generalised eigenbasis of its penalty and its cross products, scaled
so that the two sum to n times the identity. The effects, effective degrees of freedom and tests of `gamtune.gam` are
computed from the same penalised least squares problem without the ridge, and the tests check that both fits agree.

The p-values and the grid search of pyGAM are not used: its p-values are known to be too small, and its
standard errors are not the Bayesian ones of mgcv.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pygam import LinearGAM
from pygam.terms import TensorTerm, Term, TermList
from scipy import linalg, sparse

from gamtune.gam.covariates import FloatArray, numbers
from gamtune.gam.errors import DataError
from gamtune.gam.penalised_fit import Problem
from gamtune.gam.smooths import Basis
from gamtune.gam.terms import Factor, quoted

HALF = 0.5  # pyGAM's range of a factor extends by this beyond the first and the last level


@dataclass(frozen=True)
class Features:
    """The numeric matrix X that a fitted ``pygam.LinearGAM`` takes, one column per column of the formula.

    Attributes
    ----------
    names : tuple of str
        Column of the table behind each column of X, in the order of the formula.
    levels : tuple of tuple
        Levels of each factor, which X holds as their positions 0, 1, ...; empty for a numeric column.
    """

    names: tuple[str, ...]
    levels: tuple[tuple[object, ...], ...]

    @classmethod
    def of(cls, bases: tuple[Basis, ...]) -> Features:
        """Return the features of a model; a column that is both a factor and a number is two features."""
        used = dict.fromkeys((variable.column, basis.levels) for basis in bases for variable in basis.term.variables)
        return cls(tuple(name for name, _ in used), tuple(levels for _, levels in used))

    def __call__(self, table: pd.DataFrame) -> FloatArray:
        """Return X, (n, features), of the rows of a table.

        Raises
        ------
        DataError
            If a cell is not a number, or is a level that the fit does not have.
        """
        return np.column_stack([self._column(table, *feature) for feature in zip(self.names, self.levels, strict=True)])

    def _column(self, table: pd.DataFrame, name: str, levels: tuple[object, ...]) -> FloatArray:
        if not levels:
            return numbers(table, name)
        codes = pd.Index(levels, dtype=object).get_indexer(pd.Index(table[name], dtype=object))
        if (codes < 0).any():
            unknown = table[name].iloc[int((codes < 0).argmax())]
            raise DataError(f"f({quoted(name)}): no row of the fit has {name} = {unknown}")
        return np.asarray(codes, dtype=np.float64)

    def table(self, x: FloatArray, positions: tuple[int, ...]) -> pd.DataFrame:
        """Return some columns of X, (n, features), as a table that a basis evaluates."""
        columns: dict[str, Any] = {}
        for position in positions:
            values, levels = x[:, position], self.levels[position]
            if levels:
                codes = np.clip(np.rint(values), 0, len(levels) - 1).astype(int)
                columns[self.names[position]] = pd.Series([levels[code] for code in codes], dtype=object)
            else:
                columns[self.names[position]] = values
        return pd.DataFrame(columns)

    def positions(self, basis: Basis) -> tuple[int, ...]:
        """Return the columns of X that a term reads."""
        features = list(zip(self.names, self.levels, strict=True))
        return tuple(features.index((variable.column, basis.levels)) for variable in basis.term.variables)


@dataclass(frozen=True)
class Block:
    """A term's columns and penalties in its eigenbasis, as both kinds of pyGAM term use them.

    Attributes
    ----------
    label : str
        mgcv's name of the term.
    columns : callable
        Function from X to the (n, p) columns of the term.
    penalties : tuple of (p, p) float64
        One per smoothing parameter.
    size : int
        Number p of coefficients.
    """

    label: str
    columns: Callable[[FloatArray], FloatArray]
    penalties: tuple[FloatArray, ...]
    size: int


class _EigenbasisTerm:
    """Methods that pyGAM calls on a term, for a `Block`."""

    _block: Block
    lam: Any  # set by pyGAM: one smoothing parameter, or one per margin

    @property
    def n_coefs(self) -> int:
        """Number of coefficients."""
        return self._block.size

    def __repr__(self) -> str:
        return self._block.label

    def compile(self, X: FloatArray, verbose: bool = False) -> Any:
        """Return the term as it is, because the basis is known already."""
        return self

    def build_columns(self, X: FloatArray, verbose: bool = False) -> Any:
        """Return the columns of the term, (n, p), as a sparse matrix."""
        return sparse.csc_array(self._block.columns(np.asarray(X, dtype=np.float64)))

    def build_penalties(self, verbose: bool = False) -> Any:
        """Return the sum of the penalties, (p, p), each multiplied by its smoothing parameter ``lam``."""
        penalties, total = self._block.penalties, np.zeros((self._block.size, self._block.size))
        for weight, penalty in zip(np.ravel(self.lam)[: len(penalties)], penalties, strict=True):
            total += weight * penalty
        return sparse.csc_array(total)


class ColumnTerm(_EigenbasisTerm, Term):  # type: ignore[misc]  # pyGAM has no types
    """A smooth, a straight line or a factor of one column."""

    def __init__(self, block: Block, feature: int, lam: float, edges: tuple[float, float], *, factor: bool) -> None:
        self._block = block
        self._name = "gamtune_term"
        self.label = block.label  # pyGAM drops a term whose public attributes equal those of another one
        self.edge_knots_ = np.array(edges)
        super().__init__(feature, lam=lam, penalties=None, dtype="categorical" if factor else "numerical")


class ProductTerm(_EigenbasisTerm, TensorTerm):  # type: ignore[misc]
    """A tensor product smooth of several columns; pyGAM reads features and smoothing parameters from its margins."""

    def __init__(self, block: Block, margins: list[ColumnTerm]) -> None:
        self._block = block
        super().__init__(*margins)
        self.label = block.label


def fit_pygam(problem: Problem, log_smoothing: FloatArray, rows: pd.DataFrame, y: FloatArray) -> Any:
    """Fit a ``pygam.LinearGAM`` at given smoothing parameters.

    Parameters
    ----------
    problem : Problem
        The least squares problem of the model.
    log_smoothing : (penalties,) float64
        Log smoothing parameters.
    rows : DataFrame
        The n rows of the fit.
    y : (n,) float64
        The response, in its own units.

    Returns
    -------
    pygam.LinearGAM
        The fitted model. It takes the matrix that `Features` makes of a table.
    """
    features = Features.of(problem.bases)
    x = features(rows)
    gam = LinearGAM(TermList(*_terms(problem, log_smoothing, features, x)))
    with np.errstate(all="ignore"):  # statistics that a saturated model does not have, such as AICc
        gam.fit(x, y)
    return gam


def _terms(problem: Problem, log_smoothing: FloatArray, features: Features, x: FloatArray) -> Iterator[Term]:
    smoothing = list(np.exp(log_smoothing))
    roots = list(problem.penalty_roots)
    for basis, place in zip(problem.bases, problem.blocks, strict=True):
        count = len(basis.penalties)
        own, smoothing = smoothing[:count], smoothing[count:]
        own_roots, roots = [root[:, place] for root in roots[:count]], roots[count:]
        positions = features.positions(basis)
        block = _block(basis, problem.r[:, place], own_roots, own, features, positions, problem.n)
        factor = isinstance(basis.term, Factor)
        terms = [
            ColumnTerm(block, position, weight, _edges(x[:, position], factor=factor), factor=factor)
            for position, weight in zip(positions, own or [0.0], strict=True)
        ]
        yield terms[0] if len(terms) == 1 else ProductTerm(block, terms)


def _block(
    basis: Basis,
    columns: FloatArray,
    roots: list[FloatArray],
    smoothing: list[float],
    features: Features,
    positions: tuple[int, ...],
    n: int,
) -> Block:
    """Return a term in the coordinates in which its cross products and penalties sum to n times the identity."""
    weighted = [np.sqrt(weight) * root for weight, root in zip(smoothing, roots, strict=True)]
    (triangle,) = linalg.qr(np.vstack([columns, *weighted]), mode="r")
    triangle = triangle[: basis.size]
    inverse = linalg.solve_triangular(triangle, np.eye(basis.size))
    scaled = np.vstack([np.zeros((1, basis.size)), *weighted]) @ inverse
    transform = np.sqrt(n) * inverse @ linalg.eigh(scaled.T @ scaled)[1]
    return Block(
        label=basis.label,
        columns=lambda x: basis.design(features.table(x, positions)) @ transform,
        penalties=tuple((root @ transform).T @ (root @ transform) for root in roots),
        size=basis.size,
    )


def _edges(values: FloatArray, *, factor: bool) -> tuple[float, float]:
    margin = HALF if factor else 0.0
    return float(values.min()) - margin, float(values.max()) + margin

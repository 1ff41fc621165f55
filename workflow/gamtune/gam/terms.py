"""The terms of an additive model, independent of the text of a formula and of data.

Only the standard library is imported, because formulas are also checked while a workflow is planned.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Literal

ROWS_PER_COEFFICIENT = 3  # a warning is given if there are fewer, because the effects then depend on few rows
LOGARITHMS = ("log", "log10", "log2")  # of R, by their names; NumPy's functions have the same names
PLAIN_NAME = r"[.]?[^\W\d][\w.]*"  # names that R reads without backquotes


@dataclass(frozen=True)
class Variable:
    """A covariate of a term: a column, or the logarithm of one.

    Attributes
    ----------
    column : str
        Name of the column.
    logarithm : str
        "log", "log10" or "log2"; empty if the column is used as it is.
    """

    column: str
    logarithm: str = ""

    def __str__(self) -> str:
        return f"{self.logarithm}({quoted(self.column)})" if self.logarithm else quoted(self.column)


def quoted(column: str) -> str:
    """Return a column's name as a formula writes it: in backquotes, as in R, unless it is a plain name.

    Examples
    --------
    >>> quoted("l1"), quoted("my col")
    ('l1', '`my col`')
    """
    if re.fullmatch(PLAIN_NAME, column):
        return column
    escaped = column.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"


@dataclass(frozen=True)
class Smooth:
    """``s(variable, k)``: a smooth function of one variable in a basis of k functions before centring.

    Attributes
    ----------
    variable : Variable
        The covariate.
    k : int
        Dimension of the basis.
    source : str
        The term as the formula writes it.
    """

    variable: Variable
    k: int
    source: str

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The covariate."""
        return (self.variable,)

    @property
    def margins(self) -> tuple[tuple[Variable, int], ...]:
        """The covariate with its k."""
        return ((self.variable, self.k),)

    @property
    def n_coefficients(self) -> int:
        """Number of coefficients after centring."""
        return self.k - 1

    @property
    def label(self) -> str:
        """mgcv's name of the term."""
        return f"s({self.variable})"


@dataclass(frozen=True)
class Tensor:
    """A tensor product smooth with one k and one smoothing parameter per variable.

    ``te(variable, variable, ...)`` includes the main effects of its variables; ``ti()`` is the interaction alone.

    Attributes
    ----------
    function : {"te", "ti"}
        Name of the term's function.
    variables : tuple of Variable
        The covariates, two or more.
    k : tuple of int
        Dimension of the basis of each covariate.
    source : str
        The term as the formula writes it.
    """

    function: Literal["te", "ti"]
    variables: tuple[Variable, ...]
    k: tuple[int, ...]
    source: str

    @property
    def margins(self) -> tuple[tuple[Variable, int], ...]:
        """Each covariate with its k."""
        return tuple(zip(self.variables, self.k, strict=True))

    @property
    def n_coefficients(self) -> int:
        """Number of coefficients after centring: of the product in ``te()``, of each margin in ``ti()``."""
        return prod(self.k) - 1 if self.function == "te" else prod(k - 1 for k in self.k)

    @property
    def label(self) -> str:
        """mgcv's name of the term."""
        return f"{self.function}({','.join(map(str, self.variables))})"


@dataclass(frozen=True)
class Factor:
    """``f(column)``: one unpenalised effect per level.

    Attributes
    ----------
    column : str
        Name of the column; its distinct values are the levels.
    source : str
        The term as the formula writes it.
    """

    column: str
    source: str

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The column as a covariate."""
        return (Variable(self.column),)

    @property
    def label(self) -> str:
        """The term as it is written."""
        return f"f({quoted(self.column)})"


@dataclass(frozen=True)
class Linear:
    """A variable without a function: a straight line.

    Attributes
    ----------
    variable : Variable
        The covariate.
    source : str
        The term as the formula writes it.
    """

    variable: Variable
    source: str

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The covariate."""
        return (self.variable,)

    @property
    def label(self) -> str:
        """The covariate as it is written."""
        return str(self.variable)


Term = Smooth | Tensor | Factor | Linear


@dataclass(frozen=True)
class Formula:
    """The terms of an additive model, in the order in which they were written."""

    terms: tuple[Term, ...]

    def __str__(self) -> str:
        return " + ".join(term.source for term in self.terms)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that the formula reads, in order."""
        return tuple(dict.fromkeys(variable.column for _, variable in self.variables()))

    def variables(self) -> Iterator[tuple[Term, Variable]]:
        """Yield every variable with its term."""
        for term in self.terms:
            for variable in term.variables:
                yield term, variable

    def n_coefficients(self, levels: Mapping[str, int] | None = None) -> int:
        """Return the number of coefficients, the intercept included, counted after centring as mgcv does.

        Parameters
        ----------
        levels : mapping of str to int, optional
            Number of levels of each column in ``f()``; needed only if the formula has such a term.

        Raises
        ------
        ValueError
            If the number of levels of a factor is not given.
        """
        count = 1
        for term in self.terms:
            if isinstance(term, Factor):
                if levels is None or term.column not in levels:
                    raise ValueError(f"{term.source}: the number of levels of {term.column} is not known")
                count += levels[term.column] - 1
            else:
                count += 1 if isinstance(term, Linear) else term.n_coefficients
        return count


@dataclass(frozen=True)
class Response:
    """The response of the model: a column, or its natural logarithm."""

    column: str
    log: bool

    def __str__(self) -> str:
        return f"log({quoted(self.column)})" if self.log else quoted(self.column)

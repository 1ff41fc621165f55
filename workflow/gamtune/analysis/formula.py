"""The R-like formula of a GAM, read with ``ast`` and never evaluated.

``s(l1, k=4) + te(depth, sum_neurons, k=4) + f(activation) + epochs`` is also a Python expression, so Python's own
parser reads it. Only the standard library is imported: formulas are checked while the workflow is planned.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod

DEFAULT_K = 10  # mgcv's s() of one column
DEFAULT_MARGIN_K = 5  # mgcv's te(), each margin
SMALLEST_K = 3  # a constant, a slope and one bend
SYNTAX = "write s(column, k=4), te(column, column, k=4), f(column) or a column's name, joined by +"


@dataclass(frozen=True)
class Smooth:
    """``s(column, k)``: a smooth function of one column, spanned by k functions before centring."""

    column: str
    k: int
    source: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The one column it reads."""
        return (self.column,)

    @property
    def margins(self) -> tuple[tuple[str, int], ...]:
        """Its column with its k."""
        return ((self.column, self.k),)

    @property
    def label(self) -> str:
        """mgcv's name of the term."""
        return f"s({self.column})"


@dataclass(frozen=True)
class Tensor:
    """``te(column, column, ..., k)``: a tensor product smooth, one k and one smoothing parameter a margin."""

    columns: tuple[str, ...]
    k: tuple[int, ...]
    source: str

    @property
    def margins(self) -> tuple[tuple[str, int], ...]:
        """Each column with its k."""
        return tuple(zip(self.columns, self.k, strict=True))

    @property
    def label(self) -> str:
        """mgcv's name of the term."""
        return f"te({','.join(self.columns)})"


@dataclass(frozen=True)
class Factor:
    """``f(column)``: one unpenalised effect a level."""

    column: str
    source: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The one column it reads."""
        return (self.column,)

    @property
    def label(self) -> str:
        """The term as it is written."""
        return f"f({self.column})"


@dataclass(frozen=True)
class Linear:
    """A bare column name: a straight line."""

    column: str
    source: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The one column it reads."""
        return (self.column,)

    @property
    def label(self) -> str:
        """The column's name."""
        return self.column


Term = Smooth | Tensor | Factor | Linear


@dataclass(frozen=True)
class Formula:
    """The terms of an additive model, in the order they were written.

    Examples
    --------
    >>> formula = parse_formula("s(l1, k=4) + te(depth, sum_neurons, k=4)")
    >>> formula.columns
    ('l1', 'depth', 'sum_neurons')
    >>> formula.n_coefficients()
    19
    """

    text: str
    terms: tuple[Term, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column the formula reads, in order."""
        return tuple(column for term in self.terms for column in term.columns)

    def n_coefficients(self, levels: Mapping[str, int] | None = None) -> int:
        """Coefficients of the model, the intercept included, each term counted after centring as mgcv does.

        Parameters
        ----------
        levels : mapping of str to int, optional
            How many levels each column under ``f()`` has; needed only where the formula has such a term.

        Raises
        ------
        ValueError
            If a factor's number of levels is not given.
        """
        count = 1
        for term in self.terms:
            if isinstance(term, Factor):
                if levels is None or term.column not in levels:
                    raise ValueError(f"{term.source}: the number of levels of {term.column} is not known")
                count += levels[term.column] - 1
            elif isinstance(term, Linear):
                count += 1
            else:
                count += prod(k for _, k in term.margins) - 1
        return count


@dataclass(frozen=True)
class Response:
    """What the model explains: a column, or its natural logarithm."""

    column: str
    log: bool

    def __str__(self) -> str:
        return f"log({self.column})" if self.log else self.column


def parse_formula(text: str) -> Formula:
    """Read a formula.

    Parameters
    ----------
    text : str
        Terms joined by ``+``: ``s(column, k=10)``, ``te(column, column, ..., k=5)`` with one k or a tuple of one k a
        column, ``f(column)`` for a factor, and a bare name for a straight line.

    Raises
    ------
    ValueError
        One line that names the term at fault: a syntax error, an unknown function or keyword, a k below 3, or a
        column in two terms (their effects could not be told apart).

    Examples
    --------
    >>> [term.label for term in parse_formula("s(l1, k=4) + te(depth, sum_neurons) + f(activation)").terms]
    ['s(l1)', 'te(depth,sum_neurons)', 'f(activation)']
    """
    formula = Formula(" ".join(text.split()), tuple(_term(node) for node in _summands(_expression(text, SYNTAX))))
    first: dict[str, str] = {}
    for term in formula.terms:
        for column in term.columns:
            if column in first:
                raise ValueError(
                    f"{term.source}: {column} is already in {first[column]}, and one column cannot be in two"
                )
            first[column] = term.source
    return formula


def parse_response(text: str) -> Response:
    """Read a response: a column's name or ``log(column)``.

    Raises
    ------
    ValueError
        If the text is neither.

    Examples
    --------
    >>> parse_response("log(validation_mse)")
    Response(column='validation_mse', log=True)
    """
    usage = "write a column's name or log(column)"
    match _expression(text, usage):
        case ast.Name(id=column):
            return Response(column, log=False)
        case ast.Call(func=ast.Name(id="log"), args=[ast.Name(id=column)], keywords=[]):
            return Response(column, log=True)
    raise ValueError(f"response {text!r}: {usage}")


def check_columns(formula: Formula, columns: Iterable[str]) -> None:
    """Refuse a formula that names a column which the table does not have.

    Raises
    ------
    ValueError
        One line with the term, the column, and the columns there are.
    """
    known = sorted(columns)
    for term in formula.terms:
        for column in term.columns:
            if column not in known:
                raise ValueError(f"{term.source}: no column '{column}' in the table; it has {', '.join(known)}")


def check_distinct(formula: Formula, distinct: Mapping[str, int]) -> None:
    """Refuse terms that ask more of a column than its distinct values can answer.

    Parameters
    ----------
    formula : Formula
    distinct : mapping of str to int
        The number of distinct values of each of the formula's columns.

    Raises
    ------
    ValueError
        If a column is constant, or a k is larger than the number of distinct values.
    """
    for term in formula.terms:
        for column in term.columns:
            if distinct[column] < 2:
                raise ValueError(f"{term.source}: {column} is constant, so it has no effect to estimate; leave it out")
        if isinstance(term, Smooth | Tensor):
            for column, k in term.margins:
                _check_k_fits(term, column, k, distinct[column])


def _check_k_fits(term: Smooth | Tensor, column: str, k: int, distinct: int) -> None:
    if k <= distinct:
        return
    if distinct < SMALLEST_K:
        advice = f"a smooth needs {SMALLEST_K}; write {column} for a line or f({column}) for levels"
    else:
        advice = f"k can be {distinct} at most"
    raise ValueError(f"{term.source}: {column} has {distinct} distinct values, {advice}")


def _expression(text: str, usage: str) -> ast.expr:
    """Parse one expression; its errors in one line."""
    if not text.strip():
        raise ValueError(f"empty formula: {usage}")
    try:
        return ast.parse(" ".join(text.split()), mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise ValueError(f"cannot read {text!r}: {usage}") from error


def _summands(node: ast.expr) -> list[ast.expr]:
    """Operands of a chain of ``+``, from left to right."""
    operands: list[ast.expr] = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        operands.append(node.right)
        node = node.left
    return [node, *reversed(operands)]


def _term(node: ast.expr) -> Term:
    source = ast.unparse(node)
    match node:
        case ast.Name(id=column):
            return Linear(column, source)
        case ast.Call(func=ast.Name(id="s")):
            (column,) = _columns(node, source, exactly=1)
            k = _keyword_k(node, source)
            return Smooth(column, _whole(DEFAULT_K if k is None else k, source), source)
        case ast.Call(func=ast.Name(id="te")):
            columns = _columns(node, source)
            return Tensor(columns, _margin_ks(_keyword_k(node, source), len(columns), source), source)
        case ast.Call(func=ast.Name(id="f")):
            (column,) = _columns(node, source, exactly=1)
            if node.keywords:
                raise ValueError(f"{source}: f() takes no keyword")
            return Factor(column, source)
        case ast.Call(func=ast.Name(id=function)):
            raise ValueError(f"{source}: unknown function '{function}'; {SYNTAX}")
    raise ValueError(f"{source}: not a term; {SYNTAX}")


def _columns(call: ast.Call, source: str, exactly: int | None = None) -> tuple[str, ...]:
    """Positional arguments of a term; without ``exactly`` two or more."""
    names = tuple(argument.id for argument in call.args if isinstance(argument, ast.Name))
    if len(names) != len(call.args):
        raise ValueError(f"{source}: the arguments before k are names of columns")
    if exactly is not None and len(names) != exactly:
        raise ValueError(f"{source}: takes one column, got {len(names)}; te() takes several")
    if exactly is None and len(names) < 2:
        raise ValueError(f"{source}: te() takes two columns or more; s() takes one")
    return names


def _keyword_k(call: ast.Call, source: str) -> object:
    """The literal behind ``k=``, or None where it is not given."""
    for keyword in call.keywords:
        if keyword.arg != "k":
            raise ValueError(f"{source}: unknown keyword '{keyword.arg or '**'}'; the only one is k")
    if not call.keywords:
        return None
    try:
        return ast.literal_eval(call.keywords[0].value)  # literals only: names and calls raise
    except ValueError as error:
        raise ValueError(f"{source}: k must be a whole number, {SMALLEST_K} or more") from error


def _margin_ks(k: object, margins: int, source: str) -> tuple[int, ...]:
    """One k a margin."""
    if k is None:
        return (DEFAULT_MARGIN_K,) * margins
    if isinstance(k, tuple | list):
        if len(k) != margins:
            raise ValueError(f"{source}: {margins} columns, but k has {len(k)} values")
        return tuple(_whole(value, source) for value in k)
    return (_whole(k, source),) * margins


def _whole(k: object, source: str) -> int:
    if isinstance(k, bool) or not isinstance(k, int) or k < SMALLEST_K:
        raise ValueError(f"{source}: k must be a whole number, {SMALLEST_K} or more, got {k}")
    return k

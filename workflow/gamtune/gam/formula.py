"""Parser of R-like formulas. A formula is never evaluated; it is checked against the columns of a table.

Only the standard library is imported, because formulas are also checked while a workflow is planned. Formulaic and
patsy know no ``s()``, ``te()`` or ``ti()``, and evaluate the calls in a formula as Python.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from gamtune.gam.errors import DataError, FormulaError
from gamtune.gam.terms import (
    LOGARITHMS,
    PLAIN_NAME,
    Factor,
    Formula,
    Linear,
    Response,
    Smooth,
    Tensor,
    Term,
    Variable,
    quoted,
)

DEFAULT_K = 10  # of s(), as in mgcv
DEFAULT_MARGIN_K = 5  # of each margin of te() and ti(), as in mgcv
SMALLEST_K = 3  # a constant, a slope and one curved function
SYNTAX = (
    "write s(column, k=4), te(column, column, k=4), ti(column, column, k=4), f(column) or a column's name, joined by +;"
    " a column can be log(column)"
)
VARIABLES = (
    "names of columns, or log(), log10() or log2() of them; a name with spaces or symbols is written in backquotes, "
    "such as `my column`"
)
RESPONSE = "write a column's name or log(column); a name with spaces or symbols is written in backquotes"
MODEL = "write a response, ~ and terms, such as log(y) ~ s(x, k=4) + te(a, b)"
TOKEN = re.compile(
    rf"""\s+ | (?P<token> `(?:[^`\\]|\\.)+` | {PLAIN_NAME} | \d[\w.]* | '[^']*' | "[^"]*" | \*\* | . )""",
    re.VERBOSE | re.DOTALL,
)
WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")
OPENING, CLOSING, OPERATORS = "([{", ")]}", "+-*/^:|~<>&"
MOST_SHOWN = 200  # characters of the formula in a message
Tokens = Sequence[str]


def parse_formula(text: str) -> Formula:
    """Read the terms of a formula.

    Parameters
    ----------
    text : str
        Terms joined by ``+``: ``s(variable, k=10)``; ``te(variable, variable, ..., k=5)`` and ``ti()`` with one k, or
        with one k per variable as ``k=(4, 3)`` or ``k=c(4, 3)``; ``f(column)`` for a factor; and a variable without a
        function for a straight line. A variable is a column's name or ``log()``, ``log10()`` or ``log2()`` of one. A
        name that is not made of letters, digits, dots and underscores is written in backquotes.

    Raises
    ------
    FormulaError
        If the text has a syntax error, a comment, an unknown function or keyword, a repeated keyword, a k below 3, or a
        variable in two terms, whose effects could not be separated.

    Examples
    --------
    >>> formula = parse_formula("s(log(rate), k=4) + te(depth, sum_neurons) + f(activation)")
    >>> [term.label for term in formula.terms]
    ['s(log(rate))', 'te(depth,sum_neurons)', 'f(activation)']
    >>> formula.columns
    ('rate', 'depth', 'sum_neurons', 'activation')
    """
    return _formula(_tokens(text, SYNTAX), text)


def parse_model(text: str) -> tuple[Response, Formula]:
    """Read a response and terms, as in ``log(y) ~ s(x) + f(kind)``.

    Parameters
    ----------
    text : str
        A response, as `parse_response` reads it, ``~``, and terms, as `parse_formula` reads them.

    Raises
    ------
    FormulaError
        If the text is not of this form, or one of its parts is not valid.

    Examples
    --------
    >>> response, formula = parse_model("log(y) ~ s(x) + z")
    >>> str(response), str(formula)
    ('log(y)', 's(x) + z')
    """
    sides = _split(_tokens(text, MODEL), "~")
    if len(sides) != 2 or not all(sides):
        raise _unreadable(text, MODEL)
    response, terms = sides
    return _response(response, _written(response)), _formula(terms, text)


def parse_term(label: str) -> Term:
    """Read the label of one term, such as ``s(log(rate))``, from a result file.

    Raises
    ------
    FormulaError
        If the label is not a term.
    """
    (term,) = parse_formula(label).terms
    return term


def parse_response(text: str) -> Response:
    """Read a response: a column's name or ``log(column)``.

    Raises
    ------
    FormulaError
        If the text is neither.

    Examples
    --------
    >>> parse_response("log(validation_mse)")
    Response(column='validation_mse', log=True)
    """
    return _response(_tokens(text, RESPONSE), text)


def _formula(tokens: Tokens, text: str) -> Formula:
    """Return the formula in a list of tokens; ``text`` is shown in messages."""
    summands = _split(tokens, "+")
    if not all(summands):
        raise _unreadable(text, SYNTAX)
    formula = Formula(tuple(map(_term, summands)))
    users: dict[Variable, list[Term]] = {}
    for term, variable in formula.variables():
        for other in users.setdefault(variable, []):
            if not _can_share(term, other):
                raise FormulaError(
                    f"{term.source}: {variable} is already in {other.source}, and a column cannot be in two terms"
                )
        users[variable].append(term)
    return formula


def _can_share(term: Term, other: Term) -> bool:
    """Return whether two terms may have a variable in common: ``ti()`` excludes the main effects of the other term."""
    functions = [one.function for one in (term, other) if isinstance(one, Tensor)]
    return "ti" in functions and set(term.variables) != set(other.variables)


def _response(tokens: Tokens, text: str) -> Response:
    variable = _variable(tokens)
    if variable is None or variable.logarithm not in ("", "log"):
        raise FormulaError(f"response {text!r}: {RESPONSE}")
    return Response(variable.column, log=variable.logarithm == "log")


def check_columns(formula: Formula, columns: Iterable[str]) -> None:
    """Check that a table has every column of a formula.

    Parameters
    ----------
    formula : Formula
        The formula.
    columns : iterable of str
        Columns of the table.

    Raises
    ------
    FormulaError
        If a column is missing; the message lists the columns of the table.
    """
    known = sorted(columns)
    for term, variable in formula.variables():
        if variable.column not in known:
            listed = ", ".join(map(quoted, known))
            raise FormulaError(f"{term.source}: no column '{variable.column}' in the table; it has {listed}")


def check_distinct(formula: Formula, distinct: Mapping[str, int]) -> None:
    """Check that every column has enough distinct values for its term.

    Parameters
    ----------
    formula : Formula
        The formula.
    distinct : mapping of str to int
        Number of distinct values of each of the formula's columns.

    Raises
    ------
    DataError
        If a column is constant, or a k is larger than the number of distinct values.
    """
    for term, variable in formula.variables():
        if distinct[variable.column] < 2:
            raise DataError(
                f"{term.source}: {variable.column} is constant, so it has no effect to estimate; leave it out"
            )
    for term in formula.terms:
        if isinstance(term, Smooth | Tensor):
            for variable, k in term.margins:
                _check_k_fits(term, variable, k, distinct[variable.column])


def _check_k_fits(term: Smooth | Tensor, variable: Variable, k: int, distinct: int) -> None:
    if k <= distinct:
        return
    if distinct < SMALLEST_K:
        advice = f"a smooth needs {SMALLEST_K}; write {variable} for a line or f({quoted(variable.column)}) for levels"
    else:
        advice = f"k can be {distinct} at most"
    raise DataError(f"{term.source}: {variable.column} has {distinct} distinct values, {advice}")


def _tokens(text: str, usage: str) -> list[str]:
    """Split a text into names, numbers, quoted texts and symbols, and check that its brackets match."""
    tokens = []
    depth = lowest = 0
    for match in TOKEN.finditer(text):
        token = match["token"]
        if token == "#":
            comment = text[match.start() :].splitlines()[0].strip()
            raise FormulaError(f"{_shortened(comment)!r}: a formula cannot contain a comment; remove the text from '#'")
        if token is not None:
            tokens.append(token)
            depth += (token in OPENING) - (token in CLOSING)
            lowest = min(lowest, depth)
    if not tokens:
        raise FormulaError(f"empty formula: {usage}")
    if depth or lowest < 0 or "`" in tokens:
        raise _unreadable(text, usage)
    return tokens


def _unreadable(text: str, usage: str) -> FormulaError:
    return FormulaError(f"cannot read {_shortened(' '.join(text.split()))!r}: {usage}")


def _split(tokens: Tokens, separator: str) -> list[Tokens]:
    """Split tokens at a separator outside all brackets."""
    parts: list[list[str]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token in OPENING) - (token in CLOSING)
        if depth == 0 and token == separator:
            parts.append([])
        else:
            parts[-1].append(token)
    return list(parts)


def _written(tokens: Tokens) -> str:
    """Return tokens as one text with uniform spaces."""
    text = ""
    for token in tokens:
        if token == ",":
            text += ", "
        elif token in OPERATORS and text and text[-1] not in "(=, ":
            text += f" {token} "
        elif _is_name(token) and text and (text[-1].isalnum() or text[-1] in "_.`"):
            text += f" {token}"
        else:
            text += token
    return _shortened(text.strip())


def _shortened(text: str) -> str:
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 3]}..."


def _is_name(token: str) -> bool:
    return (len(token) > 1 and token[0] == "`") or re.fullmatch(PLAIN_NAME, token) is not None


def _variable(tokens: Tokens) -> Variable | None:
    """Return a column or the logarithm of one; None for anything else."""
    match list(tokens):
        case [name] if _is_name(name):
            return Variable(_column(name))
        case [function, "(", name, ")"] if function in LOGARITHMS and _is_name(name):
            return Variable(_column(name), function)
    return None


def _column(name: str) -> str:
    return re.sub(r"\\(.)", r"\1", name[1:-1], flags=re.DOTALL) if name[0] == "`" else name


def _term(tokens: Tokens) -> Term:
    source = _written(tokens)
    variable = _variable(tokens)
    if variable is not None:
        return Linear(variable, source)
    arguments = _arguments(tokens)
    if arguments is None:
        raise FormulaError(f"{source}: not a term; {SYNTAX}")
    positional, k = _arguments_and_k(arguments, source)
    match tokens[0]:
        case "s":
            (variable,) = _variables(positional, source, exactly=1)
            return Smooth(variable, DEFAULT_K if k is None else _whole(k, source), source)
        case "te" | "ti" as function:
            variables = _variables(positional, source)
            return Tensor(function, variables, _margin_ks(k, len(variables), source), source)
        case "f":
            (variable,) = _variables(positional, source, exactly=1)
            if k is not None:
                raise FormulaError(f"{source}: f() has no keyword arguments")
            if variable.logarithm:
                raise FormulaError(f"{source}: f() requires a column, whose values are the levels")
            return Factor(variable.column, source)
    if tokens[0] in LOGARITHMS:
        raise FormulaError(f"{source}: a logarithm requires one column, as in {tokens[0]}(column)")
    raise FormulaError(f"{source}: unknown function '{tokens[0]}'; {SYNTAX}")


def _arguments(tokens: Tokens) -> list[Tokens] | None:
    """Return the arguments of a call; None if the tokens are not one call."""
    if len(tokens) < 3 or tokens[1] != "(" or tokens[-1] != ")" or not re.fullmatch(PLAIN_NAME, tokens[0]):
        return None
    inside = tokens[2:-1]
    depth = 0
    for token in inside:
        depth += (token in OPENING) - (token in CLOSING)
        if depth < 0:
            return None
    return _split(inside, ",") if inside else []


def _arguments_and_k(arguments: list[Tokens], source: str) -> tuple[list[Tokens], Tokens | None]:
    """Return the positional arguments and the value of ``k``, None if it is not given."""
    positional: list[Tokens] = []
    k = None
    for argument in arguments:
        if argument[1:2] == ["="] or argument[:1] in (["*"], ["**"]):
            if argument[0] != "k":
                raise FormulaError(f"{source}: unknown keyword '{argument[0]}'; the only one is k")
            if k is not None:
                raise FormulaError(f"{source}: k is given twice")
            k = argument[2:]
        else:
            positional.append(argument)
    return positional, k


def _variables(arguments: list[Tokens], source: str, exactly: int | None = None) -> tuple[Variable, ...]:
    """Return the variables of a term; without ``exactly`` two or more."""
    variables = tuple(variable for variable in map(_variable, arguments) if variable is not None)
    if len(variables) != len(arguments):
        raise FormulaError(f"{source}: the arguments before k are {VARIABLES}")
    if exactly is not None and len(variables) != exactly:
        raise FormulaError(f"{source}: takes one column, got {len(variables)}; te() takes several")
    if exactly is None and len(variables) < 2:
        raise FormulaError(f"{source}: te() takes two columns or more; s() takes one")
    columns = [variable.column for variable in variables]
    for column in columns:
        if columns.count(column) > 1:
            raise FormulaError(f"{source}: {column} occurs twice; te() requires different columns")
    return variables


def _margin_ks(k: Tokens | None, margins: int, source: str) -> tuple[int, ...]:
    """Return one k per margin."""
    if k is None:
        return (DEFAULT_MARGIN_K,) * margins
    values = list(k[1:]) if k[:1] == ["c"] else list(k)
    if len(values) < 2 or values[0] not in "([" or values[-1] not in ")]":
        return (_whole(k, source),) * margins
    each = _split(values[1:-1], ",")
    if len(each) != margins:
        raise FormulaError(f"{source}: {margins} columns, but k has {len(each)} values")
    return tuple(_whole(value, source) for value in each)


def _whole(k: Tokens, source: str) -> int:
    if len(k) != 1 or not WHOLE_NUMBER.fullmatch(k[0]) or int(k[0]) < SMALLEST_K:
        raise FormulaError(f"{source}: k must be a whole number, {SMALLEST_K} or more, got {_written(k) or 'nothing'}")
    return int(k[0])

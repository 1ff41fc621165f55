"""The R-like formula of a GAM: read by a parser of its own, never evaluated, and checked against a table's columns.

Only the standard library is imported: formulas are checked while the workflow is planned. Formulaic and patsy know no
``s()``, ``te()`` or ``ti()``, and evaluate the calls in a formula as Python.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from gamtune.errors import InputError
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

DEFAULT_K = 10  # mgcv's s() of one column
DEFAULT_MARGIN_K = 5  # mgcv's te() and ti(), each margin
SMALLEST_K = 3  # a constant, a slope and one bend
SYNTAX = (
    "write s(column, k=4), te(column, column, k=4), ti(column, column, k=4), f(column) or a column's name, joined by +;"
    " a column can be log(column)"
)
VARIABLES = (
    "names of columns, or log(), log10() or log2() of them; a name with spaces or symbols is written in backquotes, "
    "such as `my column`"
)
TOKEN = re.compile(
    rf"""\s+ | (?P<token> `(?:[^`\\]|\\.)+` | {PLAIN_NAME} | \d[\w.]* | '[^']*' | "[^"]*" | \*\* | . )""",
    re.VERBOSE | re.DOTALL,
)
WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")
OPENING, CLOSING, OPERATORS = "([{", ")]}", "+-*/^:|~<>&"
MOST_SHOWN = 200  # characters of a text in a message
Tokens = Sequence[str]


def parse_formula(text: str) -> Formula:
    """Read a formula.

    Parameters
    ----------
    text : str
        Terms joined by ``+``: ``s(variable, k=10)``; ``te(variable, variable, ..., k=5)`` and ``ti()`` with one k, or
        with one k per variable as ``k=(4, 3)`` or ``k=c(4, 3)``; ``f(column)`` for a factor; and a bare variable for a
        straight line. A variable is a column's name or ``log()``, ``log10()`` or ``log2()`` of one. A name that is not
        made of letters, digits, dots and underscores is written in backquotes.

    Raises
    ------
    InputError
        One line that names the term at fault: a syntax error, a comment, an unknown function or keyword, a repeated
        keyword, a k below 3, or a variable in two terms (their effects could not be told apart).

    Examples
    --------
    >>> formula = parse_formula("s(log(rate), k=4) + te(depth, sum_neurons) + f(activation)")
    >>> [term.label for term in formula.terms]
    ['s(log(rate))', 'te(depth,sum_neurons)', 'f(activation)']
    >>> formula.columns
    ('rate', 'depth', 'sum_neurons', 'activation')
    """
    summands = _split(_tokens(text, SYNTAX), "+")
    if not all(summands):
        raise _unreadable(text, SYNTAX)
    formula = Formula(" ".join(text.split()), tuple(map(_term, summands)))
    holders: dict[Variable, list[Term]] = {}
    for term, variable in formula.variables():
        for other in holders.setdefault(variable, []):
            if not _can_share(term, other):
                raise InputError(
                    [f"{term.source}: {variable} is already in {other.source}, and one column cannot be in two"]
                )
        holders[variable].append(term)
    return formula


def _can_share(term: Term, other: Term) -> bool:
    """Whether two terms may have a variable in common: ``ti()`` leaves out the main effects that the other holds."""
    functions = [one.function for one in (term, other) if isinstance(one, Tensor)]
    return "ti" in functions and set(term.variables) != set(other.variables)


def parse_term(label: str) -> Term:
    """Read the label of one term, such as ``s(log(rate))``, back from a result file."""
    (term,) = parse_formula(label).terms
    return term


def parse_response(text: str) -> Response:
    """Read a response: a column's name or ``log(column)``.

    Raises
    ------
    InputError
        If the text is neither.

    Examples
    --------
    >>> parse_response("log(validation_mse)")
    Response(column='validation_mse', log=True)
    """
    usage = "write a column's name or log(column); a name with spaces or symbols is written in backquotes"
    variable = _variable(_tokens(text, usage))
    if variable is None or variable.logarithm not in ("", "log"):
        raise InputError([f"response {text!r}: {usage}"])
    return Response(variable.column, log=variable.logarithm == "log")


def check_columns(formula: Formula, columns: Iterable[str]) -> None:
    """Refuse a formula that names a column which the table does not have.

    Raises
    ------
    InputError
        One line with the term, the column, and the columns of the table.
    """
    known = sorted(columns)
    for term, variable in formula.variables():
        if variable.column not in known:
            listed = ", ".join(map(quoted, known))
            raise InputError([f"{term.source}: no column '{variable.column}' in the table; it has {listed}"])


def check_distinct(formula: Formula, distinct: Mapping[str, int]) -> None:
    """Refuse terms that need more distinct values than their columns have.

    Parameters
    ----------
    formula : Formula
    distinct : mapping of str to int
        Number of distinct values of each of the formula's columns.

    Raises
    ------
    InputError
        If a column is constant, or a k is larger than the number of distinct values.
    """
    for term, variable in formula.variables():
        if distinct[variable.column] < 2:
            raise InputError(
                [f"{term.source}: {variable.column} is constant, so it has no effect to estimate; leave it out"]
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
    raise InputError([f"{term.source}: {variable.column} has {distinct} distinct values, {advice}"])


def _tokens(text: str, usage: str) -> list[str]:
    """Split a text into names, numbers, quoted texts and symbols, and check that its brackets match."""
    tokens = []
    depth = lowest = 0
    for match in TOKEN.finditer(text):
        token = match["token"]
        if token == "#":
            comment = text[match.start() :].splitlines()[0].strip()
            raise InputError([f"{_shortened(comment)!r}: a formula cannot hold a comment; remove it, from '#' on"])
        if token is not None:
            tokens.append(token)
            depth += (token in OPENING) - (token in CLOSING)
            lowest = min(lowest, depth)
    if not tokens:
        raise InputError([f"empty formula: {usage}"])
    if depth or lowest < 0 or "`" in tokens:
        raise _unreadable(text, usage)
    return tokens


def _unreadable(text: str, usage: str) -> InputError:
    return InputError([f"cannot read {_shortened(' '.join(text.split()))!r}: {usage}"])


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
    """Return tokens as one text, spaced alike however they were written."""
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
    """Return a column or the logarithm of one; None of anything else."""
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
        raise InputError([f"{source}: not a term; {SYNTAX}"])
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
                raise InputError([f"{source}: f() takes no keyword"])
            if variable.logarithm:
                raise InputError([f"{source}: f() takes a column, whose values are its levels"])
            return Factor(variable.column, source)
    if tokens[0] in LOGARITHMS:
        raise InputError([f"{source}: a logarithm is taken of one column, such as {tokens[0]}(column)"])
    raise InputError([f"{source}: unknown function '{tokens[0]}'; {SYNTAX}"])


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
                raise InputError([f"{source}: unknown keyword '{argument[0]}'; the only one is k"])
            if k is not None:
                raise InputError([f"{source}: k is given twice"])
            k = argument[2:]
        else:
            positional.append(argument)
    return positional, k


def _variables(arguments: list[Tokens], source: str, exactly: int | None = None) -> tuple[Variable, ...]:
    """Return the variables of a term; without ``exactly`` two or more."""
    variables = tuple(variable for variable in map(_variable, arguments) if variable is not None)
    if len(variables) != len(arguments):
        raise InputError([f"{source}: the arguments before k are {VARIABLES}"])
    if exactly is not None and len(variables) != exactly:
        raise InputError([f"{source}: takes one column, got {len(variables)}; te() takes several"])
    if exactly is None and len(variables) < 2:
        raise InputError([f"{source}: te() takes two columns or more; s() takes one"])
    columns = [variable.column for variable in variables]
    for column in columns:
        if columns.count(column) > 1:
            raise InputError([f"{source}: {column} is in it twice; te() takes different columns"])
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
        raise InputError([f"{source}: {margins} columns, but k has {len(each)} values"])
    return tuple(_whole(value, source) for value in each)


def _whole(k: Tokens, source: str) -> int:
    if len(k) != 1 or not WHOLE_NUMBER.fullmatch(k[0]) or int(k[0]) < SMALLEST_K:
        raise InputError([f"{source}: k must be a whole number, {SMALLEST_K} or more, got {_written(k) or 'nothing'}"])
    return int(k[0])

"""Checks of the formula `analysis.gam` against the config and the parameter table, before any trial is trained."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from gamtune.analysis.engine_errors import input_errors
from gamtune.errors import InputError
from gamtune.gam.formula import check_columns, check_distinct, parse_formula
from gamtune.gam.terms import ROWS_PER_COEFFICIENT, Factor, Formula, Variable, quoted
from gamtune.numbers import compact
from gamtune.search.table import derived_columns

Table = Sequence[Mapping[str, Any]]


def read_formula(text: str | None) -> Formula | None:
    """Return the formula `analysis.gam`; None if the study fits no model.

    Raises
    ------
    InputError
        If the formula cannot be read.
    """
    if text is None:
        return None
    with input_errors():
        return parse_formula(text)


def check_planned(formula: Formula, columns: Sequence[str], table: Table, proposed: int) -> None:
    """Check that the configurations of a study support a formula.

    Parameters
    ----------
    formula : Formula
        The formula.
    columns : sequence of str
        Columns of the table that can be modelled.
    table : sequence of mapping
        One entry per line of the table, with None where a configuration does not use a hyperparameter.
    proposed : int
        Number of further configurations that rounds of Bayesian search will add.

    Raises
    ------
    InputError
        If a column is unknown, textual or constant, or has a value without a logarithm, if a k is larger than the
        number of distinct values, or if the formula has more coefficients than there will be configurations.
    """
    with input_errors():
        check_columns(formula, columns)
    values = _values(formula, table)
    _refuse_text(formula, {name for name in values if any(isinstance(value, str) for value in values[name])})
    with input_errors():
        check_distinct(formula, {name: len(distinct) for name, distinct in values.items()})
    for term, variable in formula.variables():
        if variable.logarithm and (lowest := min(values[variable.column])) <= 0:
            problem = f"{variable.column} has the value {compact(lowest, 6)} in the table"
            raise InputError([f"{term.source}: {problem}; a logarithm needs values above 0"])
    coefficients, usable = _coefficients(formula, values), _usable(formula, table) + proposed
    if usable < coefficients:
        raise InputError(
            [
                f"the formula has {coefficients} coefficients, more than the {usable} configurations that can be used; "
                "lower k, leave out a term or add draws"
            ]
        )


def logged_columns(formula: Formula | None) -> set[str]:
    """Return the columns whose logarithm a formula takes; none if there is no formula."""
    return set() if formula is None else {variable.column for _, variable in formula.variables() if variable.logarithm}


def hints(formula: Formula, table: Table, proposed: int, log_priors: Collection[str]) -> Iterator[str]:
    """Yield possible improvements of a formula that passed `check_planned`.

    Parameters
    ----------
    formula : Formula
        The formula.
    table : sequence of mapping
        One entry per line of the table, as in `check_planned`.
    proposed : int
        Number of further configurations, as in `check_planned`.
    log_priors : collection of str
        Hyperparameters whose prior is log-uniform.
    """
    natural = set(log_priors) - logged_columns(formula)
    for term, variable in formula.variables():
        if variable.column in natural and not isinstance(term, Factor):
            advice = term.source.replace(quoted(variable.column), str(Variable(variable.column, "log")), 1)
            yield (
                f"{term.source}: {variable.column} has a log-uniform prior but is modelled on its natural scale; "
                f"{advice} models its logarithm"
            )
    coefficients, usable = _coefficients(formula, _values(formula, table)), _usable(formula, table) + proposed
    if usable < ROWS_PER_COEFFICIENT * coefficients:
        yield (
            f"the formula has {coefficients} coefficients for {usable} configurations, fewer than "
            f"{ROWS_PER_COEFFICIENT} configurations per coefficient, and failed trials leave fewer; lower k or add "
            "draws"
        )


def _values(formula: Formula, table: Table) -> dict[str, set[Any]]:
    """Return the distinct values of each column of a formula."""
    return {name: {row[name] for row in table} - {None} for name in formula.columns}


def _coefficients(formula: Formula, values: Mapping[str, set[Any]]) -> int:
    return formula.n_coefficients({name: len(distinct) for name, distinct in values.items()})


def _usable(formula: Formula, table: Table) -> int:
    """Return the number of configurations that have a value in every column of the formula."""
    usable = [row for row in table if all(row[name] is not None for name in formula.columns)]
    return len({tuple(row.items()) for row in usable})


def _refuse_text(formula: Formula, text_columns: set[str]) -> None:
    """Raise an error if a smooth term or a line uses a column of text; a vector per layer has a derived column."""
    for term, variable in formula.variables():
        name = variable.column
        if name in text_columns and not isinstance(term, Factor):
            derived = derived_columns([name])
            raise InputError([f"{term.label}: {name} is text; use {derived[0] if derived else f'f({name})'}"])

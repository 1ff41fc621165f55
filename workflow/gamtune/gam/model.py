"""A Gaussian additive model whose smoothing parameters are chosen per term, with mgcv's definitions throughout.

The fit is penalised least squares on the bases of ``smooths``, not pyGAM's own: pyGAM does not centre its terms but
leans on a small ridge to tell them from the intercept, so its degrees of freedom, standard errors and p-values are
not mgcv's, and it searches smoothing parameters by refitting.

Source: Wood (2017), Generalized Additive Models, 2nd edition, sections 6.1 (degrees of freedom) and 6.10 (posterior
covariance).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats
from threadpoolctl import threadpool_limits

from gamtune.errors import InputError
from gamtune.gam.covariates import FloatArray, covariate, numbers
from gamtune.gam.formula import check_columns, check_distinct, parse_formula, parse_response
from gamtune.gam.penalised_fit import Method, Problem, Scale, blocks
from gamtune.gam.smooths import Basis, build_basis
from gamtune.gam.term_test import wood_test
from gamtune.gam.terms import ROWS_PER_COEFFICIENT, Factor, Formula, Response, Variable, quoted
from gamtune.numbers import compact

NO_RESIDUE = 1e-6  # share of the rows; fewer residual degrees of freedom are none but for rounding


class TooFewRows(InputError):
    """The table has fewer usable rows than the model has coefficients."""


@dataclass(frozen=True)
class TermTest:
    """What a model says of one term.

    Attributes
    ----------
    edf : float
        Effective degrees of freedom.
    ref_df, f, p : float
        Wood's (2013) test that the effect is zero everywhere, as mgcv prints it: reference degrees of freedom, F and
        p-value. It takes the smoothing parameters as known, so on few rows it calls noise significant too often;
        `inference` has the test to go by.
    deviance_share : float
        Share of the null deviance that is no longer explained when the term is left out and all smoothing
        parameters stay. Shares of terms that carry the same information add up to less than the deviance explained.
    """

    term: str
    edf: float
    ref_df: float
    f: float
    p: float
    deviance_share: float


@dataclass(frozen=True)
class Coefficient:
    """One parametric coefficient, as R reports it: the intercept, a slope, a level against the first."""

    name: str
    estimate: float
    standard_error: float
    t: float
    p: float


@dataclass(frozen=True)
class FittedGam:
    """A fitted additive model; everything in units of the response expression, so log(mse) stays a logarithm.

    Attributes
    ----------
    problem : Problem
        The least squares problem that was solved, of the standardised response.
    criterion : float
        GCV or -REML at the chosen smoothing parameters, as mgcv defines them.
    scale : float
        Residual variance: deviance over n - edf.
    unit : float
        Standard deviation of the response, which ``problem`` holds standardised.
    residuals : (n,)
        Response less ``fitted``.
    rows : DataFrame
        The rows of the fit; ``dropped`` more had missing values.
    warnings : tuple of str
        What a reader of the model must know.
    """

    formula: Formula
    response: Response
    method: Method
    problem: Problem
    coefficients: FloatArray
    covariance: FloatArray
    log_smoothing: FloatArray
    terms: tuple[TermTest, ...]
    parametric: tuple[Coefficient, ...]
    criterion: float
    scale: float
    edf_total: float
    deviance_explained: float
    r_sq_adj: float
    unit: float
    fitted: FloatArray
    residuals: FloatArray
    rows: pd.DataFrame
    dropped: int
    warnings: tuple[str, ...]

    @property
    def n(self) -> int:
        """Rows of the fit."""
        return len(self.rows)

    @property
    def bases(self) -> tuple[Basis, ...]:
        """The columns of each term."""
        return self.problem.bases

    def predict(self, table: pd.DataFrame) -> FloatArray:
        """Expected response of each row, (n,), in units of the response expression.

        Raises
        ------
        InputError
            If a column is missing, a cell has no logarithm, or a factor has a level the fit has not seen.
        """
        check_columns(self.formula, map(str, table.columns))
        columns = [np.ones((len(table), 1))] + [basis.design(table) for basis in self.bases]
        return np.asarray(np.hstack(columns) @ self.coefficients, dtype=np.float64)

    def effect(self, term: str, table: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
        """One term's centred effect on each row and its standard error, (n,) each.

        The standard error is the Bayesian posterior's at the chosen smoothing parameters, without the intercept's
        uncertainty, as in mgcv's ``predict(type = "terms")``.

        Parameters
        ----------
        term : str
            The term's label, such as ``te(depth,sum_neurons)``.
        table : DataFrame
            Needs only the term's own columns.

        Raises
        ------
        ValueError
            If the model has no such term.
        """
        for basis, block in zip(self.bases, blocks(self.bases), strict=True):
            if basis.label == term:
                columns = basis.design(table)
                variance = np.einsum("ij,jk,ik->i", columns, self.covariance[block, block], columns)
                return columns @ self.coefficients[block], np.sqrt(np.maximum(variance, 0))
        raise ValueError(f"no term '{term}'; the model has {', '.join(basis.label for basis in self.bases)}")


def fit_gam(formula: str | Formula, table: pd.DataFrame, response: str = "mse", method: Method = "REML") -> FittedGam:
    """Fit an additive model.

    Rows with a missing or infinite value in a column that is used are left out and counted in ``dropped``.

    Parameters
    ----------
    formula : str or Formula
        As ``parse_formula`` reads it.
    table : DataFrame
        One trial a row.
    response : str
        A column's name or ``log(column)``.
    method : {"REML", "GCV"}
        What chooses the smoothing parameters.

    Raises
    ------
    TooFewRows
        If there are fewer rows than coefficients.
    InputError
        If a column is missing, constant or textual, a k is too large, a logarithm is asked of a value at or below 0
        (the line names the row and the cell), or two terms cannot be told apart.

    Examples
    --------
    >>> x = np.linspace(0, 1, 50)
    >>> fitted = fit_gam("s(x, k=6)", pd.DataFrame({"x": x, "mse": np.sin(6 * x)}))
    >>> round(fitted.deviance_explained, 2)
    1.0
    """
    if method not in ("GCV", "REML"):
        raise ValueError(f"method: got {method!r}, expected 'GCV' or 'REML'")
    formula = parse_formula(formula) if isinstance(formula, str) else formula
    outcome = parse_response(response)
    check_columns(formula, map(str, table.columns))
    rows, y = _complete_rows(formula, outcome, table)
    warnings = _check_size(formula, rows, dropped=len(table) - len(rows))
    scale = Scale.of(y)
    # Thousands of products of small matrices: on a busy machine threads that wait for each other cost ten times more.
    with threadpool_limits(limits=1, user_api="blas"):
        bases = tuple(build_basis(term, rows) for term in formula.terms)
        design = np.hstack([np.ones((len(rows), 1))] + [basis.design(rows) for basis in bases])
        problem = Problem(bases, design, scale.standardised(y))
        log_smoothing = problem.choose(method)
        dropped = len(table) - len(rows)
        return _describe(formula, outcome, method, problem, scale, log_smoothing, rows, dropped, warnings)


def _complete_rows(formula: Formula, outcome: Response, table: pd.DataFrame) -> tuple[pd.DataFrame, FloatArray]:
    """Return the rows that have a finite value in every column of the model, with their responses.

    Cells that the model cannot use are refused by the row that they have in the table.
    """
    if outcome.column not in table:
        known = ", ".join(map(quoted, sorted(map(str, table.columns))))
        raise InputError([f"response {outcome}: no column '{outcome.column}' in the table; it has {known}"])
    if outcome.column in formula.columns:
        raise InputError([f"response {outcome}: {outcome.column} is in the formula too"])
    used = table[[*formula.columns, outcome.column]]
    complete = used.notna().all(axis=1).to_numpy(copy=True)
    try:
        complete &= np.isfinite(numbers(used, outcome.column))
    except InputError as error:
        raise InputError([f"response {outcome}: {error}"]) from None
    for term, variable in formula.variables():
        if isinstance(term, Factor):
            continue
        try:
            complete &= np.isfinite(numbers(used, variable.column))
        except InputError as error:
            factor = f"f({quoted(variable.column)})"
            raise InputError([f"{term.source}: {error}; correct it, or write {factor} for levels"]) from None
    rows = used[complete]
    for term, variable in formula.variables():
        if not isinstance(term, Factor):
            covariate(rows, variable)
    y = covariate(rows, Variable(outcome.column, "log" if outcome.log else ""))
    return rows.reset_index(drop=True), y


def _check_size(formula: Formula, rows: pd.DataFrame, dropped: int) -> tuple[str, ...]:
    """Refuse a table that cannot carry the model; say what it carries badly."""
    distinct = {column: int(rows[column].nunique()) for column in formula.columns}
    coefficients = formula.n_coefficients(distinct)
    missing = f"{dropped} of {len(rows) + dropped} rows left out: a value is missing in a column the model uses"
    if len(rows) < coefficients:
        after = f" ({missing})" if dropped else ""
        advice = "add rows or lower k, which is 10 in s() and 5 per column in te() by default"
        raise TooFewRows([f"{len(rows)} rows are too few for {coefficients} coefficients{after}; {advice}"])
    check_distinct(formula, distinct)
    warnings = [missing] if dropped else []
    if len(rows) < ROWS_PER_COEFFICIENT * coefficients:
        warnings.append(
            f"{len(rows)} rows for {coefficients} coefficients, fewer than {ROWS_PER_COEFFICIENT} each:"
            " the effects hang on few rows; add rows or lower k"
        )
    return tuple(warnings)


def _describe(
    formula: Formula,
    outcome: Response,
    method: Method,
    problem: Problem,
    units: Scale,
    log_smoothing: FloatArray,
    rows: pd.DataFrame,
    dropped: int,
    warnings: tuple[str, ...],
) -> FittedGam:
    """Return everything that a model reports, at the chosen smoothing parameters, in units of the response."""
    fit = problem.solve(log_smoothing)
    influence = fit.inverse @ problem.gram
    edf_total = float(np.trace(influence))
    residual_df = problem.n - edf_total
    if residual_df < NO_RESIDUE * problem.n:
        used = f"{compact(edf_total)} degrees of freedom"
        raise TooFewRows([f"{problem.n} rows leave nothing over beside {used}; simplify the formula"])
    scale = fit.deviance / residual_df * units.sd**2
    covariance = scale * fit.inverse
    coefficients = units.sd * fit.coefficients
    explained = 1 - fit.deviance / problem.null_deviance
    # Degrees of freedom that the p-values refer to: mgcv's edf1, 2 tr(F) - tr(FF).
    edf = np.diag(influence)
    reference_df = 2 * edf - np.einsum("ij,ji->i", influence, influence)
    terms = []
    for basis, block in zip(problem.bases, problem.blocks, strict=True):
        ref_df, f, p = wood_test(
            problem.design[:, block],
            coefficients[block],
            covariance[block, block],
            float(reference_df[block].sum()),
            residual_df,
        )
        lost = problem.deviance_without(block, fit) - fit.deviance
        terms.append(TermTest(basis.label, float(edf[block].sum()), ref_df, f, p, lost / problem.null_deviance))
    if method == "GCV":
        criterion = float(np.exp(2 * problem.gcv(log_smoothing)[0] / problem.n)) * units.sd**2
    else:
        criterion = problem.reml(log_smoothing)[0] + (problem.n - problem.unpenalised) * float(np.log(units.sd))
    standardised = problem.design @ fit.coefficients
    coefficients[0] += units.mean
    return FittedGam(
        formula=formula,
        response=outcome,
        method=method,
        problem=problem,
        coefficients=coefficients,
        covariance=covariance,
        log_smoothing=log_smoothing,
        terms=tuple(terms),
        parametric=_parametric(problem, coefficients, covariance, residual_df),
        criterion=criterion,
        scale=scale,
        edf_total=edf_total,
        deviance_explained=explained,
        r_sq_adj=1 - (1 - explained) * (problem.n - 1) / residual_df,
        unit=units.sd,
        fitted=units.mean + units.sd * standardised,
        residuals=units.sd * (problem.y - standardised),
        rows=rows,
        dropped=dropped,
        warnings=warnings,
    )


def _parametric(
    problem: Problem, coefficients: FloatArray, covariance: FloatArray, residual_df: float
) -> tuple[Coefficient, ...]:
    """Intercept, slopes and levels with their t tests."""
    intercept = np.zeros(problem.p)
    intercept[0] = 1
    contrasts = [("(Intercept)", intercept)]
    for basis, block in zip(problem.bases, problem.blocks, strict=True):
        intercept[block] = basis.reference
        for name, own in basis.reported:
            contrast = np.zeros(problem.p)
            contrast[block] = own
            contrasts.append((name, contrast))
    reported = []
    for name, contrast in contrasts:
        estimate, error = float(contrast @ coefficients), float(np.sqrt(contrast @ covariance @ contrast))
        t = estimate / error
        reported.append(Coefficient(name, estimate, error, t, float(2 * stats.t.sf(abs(t), residual_df))))
    return tuple(reported)

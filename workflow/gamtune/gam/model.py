"""A Gaussian additive model with mgcv's definitions, whose smoothing parameters are selected per term.

Source: Wood (2017), Generalized Additive Models, 2nd edition, sections 6.1 (degrees of freedom) and 6.10 (posterior
covariance).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from threadpoolctl import threadpool_limits

from gamtune.gam.covariates import FloatArray, covariate, numbers
from gamtune.gam.errors import DataError, FormulaError, TooFewRows
from gamtune.gam.formula import check_columns, check_distinct, parse_formula, parse_response
from gamtune.gam.penalised_fit import Method, Problem, Scale, blocks
from gamtune.gam.pygam_model import fit_pygam
from gamtune.gam.smooths import Basis, build_basis
from gamtune.gam.term_test import wood_test
from gamtune.gam.terms import ROWS_PER_COEFFICIENT, Factor, Formula, Response, Variable, quoted

NO_RESIDUE = 1e-6  # residual degrees of freedom per row; a model with fewer is saturated, apart from rounding errors


@dataclass(frozen=True)
class TermTest:
    """Degrees of freedom, mgcv's test and deviance share of one term.

    Attributes
    ----------
    term : str
        Label of the term.
    edf : float
        Effective degrees of freedom.
    ref_df, f, p : float
        Wood's (2013) test that the effect is zero everywhere, as mgcv prints it: reference degrees of freedom, F and
        p-value. The test treats the smoothing parameters as known, so that p is too small on tables with few rows;
        `inference.infer` tests by permutation instead.
    deviance_share : float
        Share of the null deviance that is no longer explained if the term is omitted and the smoothing parameters of
        the others are kept. Shares of terms with common information sum to less than the deviance explained.
    """

    term: str
    edf: float
    ref_df: float
    f: float
    p: float
    deviance_share: float


@dataclass(frozen=True)
class Coefficient:
    """One parametric coefficient, as R reports it: the intercept, a slope, or a level compared with the first."""

    name: str
    estimate: float
    standard_error: float
    t: float
    p: float


@dataclass(frozen=True)
class FittedGam:
    """A fitted additive model. All values are in units of the response expression, such as log(mse).

    Attributes
    ----------
    formula : Formula
        The terms.
    response : Response
        The response expression.
    method : {"GCV", "REML"}
        Criterion that selected the smoothing parameters.
    problem : Problem
        The least squares problem of the standardised response.
    coefficients : (p,) float64
        Intercept, then the coefficients of each term.
    covariance : (p, p) float64
        Bayesian posterior covariance of the coefficients.
    log_smoothing : (penalties,) float64
        Log smoothing parameters.
    terms : tuple of TermTest
        One per term.
    parametric : tuple of Coefficient
        Intercept, slopes and levels.
    criterion : float
        GCV or -REML at the selected smoothing parameters, as mgcv defines them.
    scale : float
        Residual variance: deviance over n - edf.
    edf_total : float
        Effective degrees of freedom of the model, the intercept included.
    deviance_explained : float
        Share of the null deviance.
    r_sq_adj : float
        Adjusted R-squared.
    unit : float
        Standard deviation of the response.
    fitted : (n,) float64
        Expected response of each row of the fit.
    residuals : (n,) float64
        Response minus ``fitted``.
    rows : DataFrame
        The rows of the fit.
    dropped : int
        Number of rows that were left out because of missing values.
    warnings : tuple of str
        Limitations of the fit, one sentence each.
    pygam : pygam.LinearGAM
        The same model as pyGAM fitted it, to predict, plot and print with pyGAM.
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
    pygam: Any  # pyGAM has no types

    @property
    def n(self) -> int:
        """Number of rows of the fit."""
        return len(self.rows)

    @property
    def bases(self) -> tuple[Basis, ...]:
        """The basis of each term."""
        return self.problem.bases

    def predict(self, table: pd.DataFrame) -> FloatArray:
        """Return the expected response of each row of a table, (n,), in units of the response expression.

        Raises
        ------
        FormulaError
            If a column is missing.
        DataError
            If a cell has no logarithm, or a factor has a level that the rows of the fit do not have.
        """
        check_columns(self.formula, map(str, table.columns))
        columns = [np.ones((len(table), 1))] + [basis.design(table) for basis in self.bases]
        return np.asarray(np.hstack(columns) @ self.coefficients, dtype=np.float64)

    def effect(self, term: str, table: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
        """Return the centred effect of one term on each row of a table.

        Parameters
        ----------
        term : str
            Label of the term, such as ``te(depth,sum_neurons)``.
        table : DataFrame
            The rows; only the columns of the term are needed.

        Returns
        -------
        effect : (n,) float64
            Centred effect.
        standard_error : (n,) float64
            Bayesian posterior standard error at the selected smoothing parameters, without the uncertainty of the
            intercept, as in mgcv's ``predict(type = "terms")``.

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


def fit_gam(
    formula: str | Formula, table: pd.DataFrame, response: str | Response = "mse", method: Method = "REML"
) -> FittedGam:
    """Fit an additive model.

    Rows with a missing or infinite value in a column of the model are left out and counted in ``dropped``.

    Parameters
    ----------
    formula : str or Formula
        The terms, as text or as `parse_formula` returns them.
    table : DataFrame
        One observation per row.
    response : str or Response
        A column's name or ``log(column)``, as text or as `parse_response` returns it.
    method : {"REML", "GCV"}
        Criterion that selects the smoothing parameters.

    Raises
    ------
    FormulaError
        If the formula or the response cannot be read, or a column is missing.
    TooFewRows
        If there are fewer rows than coefficients.
    DataError
        If a column is constant or not numeric, a k is too large, a value whose logarithm is taken is not above 0 (the
        message names the row and the cell), or terms are collinear.

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
    outcome = parse_response(response) if isinstance(response, str) else response
    check_columns(formula, map(str, table.columns))
    rows, y = _complete_rows(formula, outcome, table)
    warnings = _check_size(formula, rows, dropped=len(table) - len(rows))
    scale = Scale.of(y)
    # The fit consists of thousands of products of small matrices, which threads make up to ten times slower.
    with threadpool_limits(limits=1, user_api="blas"):
        bases = tuple(build_basis(term, rows) for term in formula.terms)
        design = np.hstack([np.ones((len(rows), 1))] + [basis.design(rows) for basis in bases])
        problem = Problem(bases, design, scale.standardised(y))
        log_smoothing = problem.choose(method)
        dropped = len(table) - len(rows)
        pygam = fit_pygam(problem, log_smoothing, rows, y)
        return _describe(formula, outcome, method, problem, scale, log_smoothing, rows, dropped, warnings, pygam)


def _complete_rows(formula: Formula, outcome: Response, table: pd.DataFrame) -> tuple[pd.DataFrame, FloatArray]:
    """Return the rows that have a finite value in every column of the model, and their responses.

    Error messages about cells name the row of the table, before other rows are left out.
    """
    if outcome.column not in table:
        known = ", ".join(map(quoted, sorted(map(str, table.columns))))
        raise FormulaError(f"response {outcome}: no column '{outcome.column}' in the table; it has {known}")
    if outcome.column in formula.columns:
        raise FormulaError(f"response {outcome}: {outcome.column} is also in a term; remove the term")
    used = table[[*formula.columns, outcome.column]]
    complete = used.notna().all(axis=1).to_numpy(copy=True)
    try:
        complete &= np.isfinite(numbers(used, outcome.column))
    except DataError as error:
        raise DataError(f"response {outcome}: {error}") from None
    for term, variable in formula.variables():
        if isinstance(term, Factor):
            continue
        try:
            complete &= np.isfinite(numbers(used, variable.column))
        except DataError as error:
            factor = f"f({quoted(variable.column)})"
            raise DataError(f"{term.source}: {error}; correct it, or write {factor} for levels") from None
    rows = used[complete]
    for term, variable in formula.variables():
        if not isinstance(term, Factor):
            covariate(rows, variable)
    y = covariate(rows, Variable(outcome.column, "log" if outcome.log else ""))
    return rows.reset_index(drop=True), y


def _check_size(formula: Formula, rows: pd.DataFrame, dropped: int) -> tuple[str, ...]:
    """Check that a table has enough rows and distinct values for the model, and return warnings."""
    distinct = {column: int(rows[column].nunique()) for column in formula.columns}
    coefficients = formula.n_coefficients(distinct)
    missing = f"{dropped} of {len(rows) + dropped} rows left out: a value is missing in a column the model uses"
    if len(rows) < coefficients:
        after = f" ({missing})" if dropped else ""
        advice = "add rows or lower k, which is 10 in s() and 5 per column in te() by default"
        raise TooFewRows(f"{len(rows)} rows are too few for {coefficients} coefficients{after}; {advice}")
    check_distinct(formula, distinct)
    warnings = [missing] if dropped else []
    if len(rows) < ROWS_PER_COEFFICIENT * coefficients:
        warnings.append(
            f"{len(rows)} rows for {coefficients} coefficients, fewer than {ROWS_PER_COEFFICIENT} per coefficient:"
            " the effects depend on few rows; add rows or lower k"
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
    pygam: Any,
) -> FittedGam:
    """Return the fitted model at given log smoothing parameters, in units of the response."""
    fit = problem.solve(log_smoothing)
    influence = fit.inverse @ problem.gram
    edf_total = float(np.trace(influence))
    residual_df = problem.n - edf_total
    if residual_df < NO_RESIDUE * problem.n:
        model = f"a model with {edf_total:.0f} degrees of freedom"
        raise TooFewRows(f"{problem.n} rows leave no residual degrees of freedom for {model}; simplify the formula")
    scale = fit.deviance / residual_df * units.sd**2
    covariance = scale * fit.inverse
    coefficients = units.sd * fit.coefficients
    explained = 1 - fit.deviance / problem.null_deviance
    # Reference degrees of freedom of the p-values, mgcv's edf1: 2 tr(F) - tr(FF).
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
        pygam=pygam,
    )


def _parametric(
    problem: Problem, coefficients: FloatArray, covariance: FloatArray, residual_df: float
) -> tuple[Coefficient, ...]:
    """Return the intercept, the slopes and the levels with their t tests."""
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

"""The public class of the engine."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy.typing as npt
import pandas as pd

from gamtune.gam.covariates import FloatArray
from gamtune.gam.formula import parse_model
from gamtune.gam.inference import Inference, infer, null_band
from gamtune.gam.model import FittedGam, fit_gam
from gamtune.gam.penalised_fit import Method
from gamtune.gam.pygam_model import Features
from gamtune.gam.summary import summary_text
from gamtune.gam.tables import term_points, term_table

Table = pd.DataFrame | Mapping[str, npt.ArrayLike]


class GAM:
    """A generalised additive model with the terms and criteria of R's mgcv.

    Parameters
    ----------
    formula : str
        Response, ``~`` and terms, as in ``log(y) ~ s(x, k=4) + te(a, b) + f(kind) + z``. A formula is parsed and
        never evaluated.
    method : {"REML", "GCV"}
        Criterion that selects the smoothing parameter of each term.

    Raises
    ------
    FormulaError
        If the formula cannot be read; the message names the term.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.linspace(0, 1, 50)
    >>> table = pd.DataFrame({"x": x, "y": np.sin(6 * x)})
    >>> model = GAM("y ~ s(x, k=6)").fit(table)
    >>> model.test()["term"].tolist()
    ['s(x)']
    """

    def __init__(self, formula: str, method: Method = "REML") -> None:
        self.response, self.formula = parse_model(formula)
        self.method = method
        self._fitted: FittedGam | None = None

    def __repr__(self) -> str:
        return f"GAM({f'{self.response} ~ {self.formula}'!r}, method={self.method!r})"

    def fit(self, table: Table) -> GAM:
        """Fit the model and return it.

        Rows with a missing value in a column of the model are left out.

        Parameters
        ----------
        table : DataFrame or mapping of columns
            One observation per row.

        Raises
        ------
        FormulaError
            If a column is missing.
        DataError
            If the table does not support the model; the message names the term, the column or the row.
        """
        self._fitted = fit_gam(self.formula, pd.DataFrame(table), self.response, self.method)
        self.__dict__.pop("inference", None)
        return self

    @property
    def fitted(self) -> FittedGam:
        """The fitted model: coefficients, covariance, smoothing parameters, edf, deviance explained and warnings.

        Raises
        ------
        RuntimeError
            If `fit` has not been called.
        """
        if self._fitted is None:
            raise RuntimeError("the model is not fitted; call fit(table) first")
        return self._fitted

    @property
    def pygam(self) -> Any:
        """The fitted ``pygam.LinearGAM``; its methods take the matrix that `features` returns."""
        return self.fitted.pygam

    @cached_property
    def inference(self) -> Inference:
        """Permutation tests and checks, which are computed when they are first needed."""
        return infer(self.fitted)

    def features(self, table: Table) -> FloatArray:
        """Return the rows of a table as the matrix X, (n, features), that the methods of ``pygam`` take.

        X has one column per column of the formula, in the order in which the formula first names it. A factor is
        represented by the positions of its levels.

        Raises
        ------
        DataError
            If a cell is not a number, or a factor has a level that the rows of the fit do not have.
        """
        return Features.of(self.fitted.bases)(pd.DataFrame(table))

    def predict(self, table: Table) -> FloatArray:
        """Return the expected response of each row, (n,), in units of the response expression.

        Raises
        ------
        FormulaError
            If a column is missing.
        DataError
            If a cell has no logarithm, or a factor has a level that the rows of the fit do not have.
        """
        return self.fitted.predict(pd.DataFrame(table))

    def effect(self, term: str, table: Table | None = None) -> pd.DataFrame:
        """Return the centred effect of a term with its uncertainty.

        Parameters
        ----------
        term : str
            Label of the term, such as ``s(x)`` or ``te(a,b)``.
        table : DataFrame or mapping of columns, optional
            Points with the columns of the term; by default points over the observed range.

        Returns
        -------
        DataFrame
            The columns of the term, ``effect``, its standard error ``se``, and ``null``, half the width of the band
            that holds 95 % of the effects of the term on permuted residuals. All are in units of the response
            expression.

        Raises
        ------
        ValueError
            If the model has no such term.
        """
        terms = {one.label: one for one in self.formula.terms}
        if term not in terms:
            raise ValueError(f"no term '{term}'; the model has {', '.join(terms)}")
        points = term_points(self.fitted, terms[term]) if table is None else pd.DataFrame(table)
        effect, error = self.fitted.effect(term, points)
        columns = points[[variable.column for variable in terms[term].variables]].reset_index(drop=True)
        return columns.assign(effect=effect, se=error, null=null_band(self.fitted, self.inference, term, points))

    def test(self) -> pd.DataFrame:
        """Return the permutation test of each term, one per line, with mgcv's test and checks.

        Returns
        -------
        DataFrame
            ``p_adjusted`` is adjusted for the number of terms; see `gamtune.gam.tables.term_table` for all columns.
        """
        return term_table(self.fitted, self.inference)

    def summary(self) -> str:
        """Return the summary of the model as text, in the layout of mgcv's ``summary.gam``."""
        return summary_text(self.fitted, self.inference)

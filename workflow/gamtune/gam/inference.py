"""Permutation tests, null bands and checks of a fitted model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from gamtune.gam.checks import Check, check_terms
from gamtune.gam.covariates import FloatArray
from gamtune.gam.model import FittedGam
from gamtune.gam.null_model import NullModel, null_model
from gamtune.gam.null_terms import NullTerm, holm, null_term

PERMUTATIONS = 999  # per term, so that p is a multiple of 0.001, which Holm's adjustment of many terms needs
MODEL_PERMUTATIONS = 199  # of the response; the whole model is fitted to each
SHUFFLES = 400  # permutations of the residuals for the k-index; as in mgcv
CONFIDENCE = 0.95
SEED = 20130608


@dataclass(frozen=True)
class Inference:
    """Permutation tests and checks of a fitted model.

    Attributes
    ----------
    terms : tuple of NullTerm
        Test of each term, in the order of the formula.
    p_adjusted : (terms,) float64
        p-values of the terms, adjusted for the number of terms by Holm's method.
    model : NullModel
        Test of the whole model.
    checks : tuple of Check
        Concurvity and k-index of each term.
    """

    terms: tuple[NullTerm, ...]
    p_adjusted: FloatArray
    model: NullModel
    checks: tuple[Check, ...]

    def null_shares(self) -> FloatArray:
        """Return the interval of the deviance share of each term that holds 95 % of its permutations, (terms, 2)."""
        ends = [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]
        return np.array([np.quantile(term.shares, ends) for term in self.terms])


def infer(fitted: FittedGam) -> Inference:
    """Test every term and the whole model.

    Parameters
    ----------
    fitted : FittedGam
        The model.

    Returns
    -------
    Inference
        Tests and checks. The permutations are drawn with a fixed seed, so that the same table gives the same result.
    """
    rng = np.random.default_rng(SEED)
    count = max(PERMUTATIONS, MODEL_PERMUTATIONS, SHUFFLES)
    orders = rng.permuted(np.tile(np.arange(fitted.n)[:, np.newaxis], count), axis=0)
    with threadpool_limits(limits=1, user_api="blas"):
        terms = tuple(
            null_term(fitted.problem, number, fitted.log_smoothing, fitted.method, orders[:, :PERMUTATIONS])
            for number in range(len(fitted.bases))
        )
        model = null_model(fitted.problem, fitted.method, orders[:, :MODEL_PERMUTATIONS])
        checks = tuple(check_terms(fitted, orders[:, :SHUFFLES]))
    return Inference(terms, holm(np.array([term.p for term in terms])), model, checks)


def null_band(fitted: FittedGam, inference: Inference, term: str, table: pd.DataFrame) -> FloatArray:
    """Return half the width of the null band of a term.

    The null band is simultaneous: 95 % of the effects that the term has on permuted residuals lie within it everywhere.

    Parameters
    ----------
    fitted : FittedGam
        The model.
    inference : Inference
        Its tests.
    term : str
        Label of the term.
    table : DataFrame
        The points; only the columns of the term are needed.

    Returns
    -------
    (n,) float64
        In units of the response.
    """
    number = [basis.label for basis in fitted.bases].index(term)
    effects = fitted.unit * (fitted.bases[number].design(table) @ inference.terms[number].coefficients)
    spread = effects.std(axis=1) + 1e-12 * float(np.abs(effects).max() or fitted.unit)
    farthest = np.abs(effects / spread[:, np.newaxis]).max(axis=0)
    return np.asarray(np.quantile(farthest, CONFIDENCE) * spread)

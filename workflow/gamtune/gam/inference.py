"""How sure a fitted model can be of each effect and of itself, by permutation: no distribution is assumed."""

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

PERMUTATIONS = 999  # of each term: p is a multiple of .001, fine enough for Holm's adjustment of many terms
MODEL_PERMUTATIONS = 199  # of the whole model, each of which is fitted anew
SHUFFLES = 400  # of the residuals, for the k-index; as mgcv
CONFIDENCE = 0.95
SEED = 20130608


@dataclass(frozen=True)
class Inference:
    """Permutation tests and checks of a fitted model, terms in its order.

    ``p_adjusted`` holds the chance of any false alarm among all terms (Holm); a term's own p is in ``terms``.
    """

    terms: tuple[NullTerm, ...]
    p_adjusted: FloatArray
    model: NullModel
    checks: tuple[Check, ...]

    def null_shares(self) -> FloatArray:
        """Shares of the deviance that 95 % of the permutations of each term stay within, (terms, 2)."""
        ends = [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]
        return np.array([np.quantile(term.shares, ends) for term in self.terms])


def infer(fitted: FittedGam) -> Inference:
    """Test every term and the whole model; the same table gives the same answer."""
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
    """Half the width of a term's null band at some points, (n,): 95 % of the effects of noise lie within it everywhere.

    Parameters
    ----------
    term : str
        The term's label.
    table : DataFrame
        The points; needs only the term's own columns.
    """
    number = [basis.label for basis in fitted.bases].index(term)
    effects = fitted.unit * (fitted.bases[number].design(table) @ inference.terms[number].coefficients)
    spread = effects.std(axis=1) + 1e-12 * float(np.abs(effects).max() or fitted.unit)
    farthest = np.abs(effects / spread[:, np.newaxis]).max(axis=0)
    return np.asarray(np.quantile(farthest, CONFIDENCE) * spread)

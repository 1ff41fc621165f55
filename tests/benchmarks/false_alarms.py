"""Measure how often a term is significant for pure noise, on the 50 published draws.

The published formula has 40 coefficients for these 50 configurations. The script counts the responses for which at least
one term is significant at 0.05: by the permutation test with Holm's adjustment, and by mgcv's p-values with and without
this adjustment.

    python tests/benchmarks/false_alarms.py [RESPONSES] [REML|GCV]
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from gamtune.gam.inference import PERMUTATIONS
from gamtune.gam.model import fit_gam
from gamtune.gam.null_terms import holm, null_term

DRAWS = Path(__file__).parents[1] / "golden" / "r_draws" / "published_rounding.csv"
LECTURE = (
    "s(l1, k=4) + s(l2, k=4) + s(input_dropout) + s(rho, k=4) + s(epsilon, k=4)"
    " + s(mean_hidden_dropout, k=4) + te(depth, sum_neurons, k=4)"
)


def alarms(table: pd.DataFrame, method: str, seed: int) -> tuple[bool, bool, bool, float]:
    """Return whether any term is significant in each of the three tests, and the deviance explained."""
    rng = np.random.default_rng(seed)
    fitted = fit_gam(LECTURE, table.assign(mse=rng.normal(size=len(table))), "mse", method)
    orders = rng.permuted(np.tile(np.arange(fitted.n)[:, np.newaxis], PERMUTATIONS), axis=0)
    with threadpool_limits(limits=1, user_api="blas"):
        terms = range(len(fitted.bases))
        p = [null_term(fitted.problem, term, fitted.log_smoothing, method, orders).p for term in terms]
    wood = np.array([term.p for term in fitted.terms])
    return (
        bool(holm(np.array(p)).min() <= 0.05), bool(holm(wood).min() <= 0.05), bool(wood.min() <= 0.05),
        fitted.deviance_explained,
    )  # fmt: skip


def main(responses: int, method: str) -> None:
    """Print the shares of false positives with their standard errors."""
    table = pd.read_csv(DRAWS)
    results = np.array([alarms(table, method, seed) for seed in range(responses)])
    names = ("permutation, Holm", "mgcv's p, Holm", "mgcv's p, unadjusted")
    print(f"{method}, {responses} responses of pure noise over {len(table)} configurations")
    for name, share in zip(names, results[:, :3].mean(axis=0), strict=True):
        print(
            f"{name:20s} {100 * share:5.1f} % false positives ± {100 * np.sqrt(share * (1 - share) / responses):.1f} %"
        )
    print(f"deviance explained   {100 * results[:, 3].mean():5.1f} % on average")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000, sys.argv[2] if len(sys.argv) > 2 else "REML")

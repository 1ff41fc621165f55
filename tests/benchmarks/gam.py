"""Measure the time to fit and test the GAM on searches of 100 to 10 000 configurations.

python tests/benchmarks/gam.py [ROWS ...]
"""

import sys
import time

import numpy as np
import pandas as pd
from measure import spread

from gamtune.gam.inference import infer
from gamtune.gam.model import fit_gam

FORMULA = (
    "s(l1, k=4) + s(l2, k=4) + s(input_dropout) + s(rho, k=4) + s(epsilon, k=4)"
    " + s(mean_hidden_dropout, k=4) + te(depth, sum_neurons, k=4)"
)
REPEATS = 3


def search(rows: int) -> pd.DataFrame:
    """Return a search in the published space whose error depends on four of its columns."""
    rng = np.random.default_rng(rows)
    table = pd.DataFrame(
        rng.uniform(size=(rows, 5)), columns=["l1", "l2", "rho", "epsilon", "mean_hidden_dropout"]
    ).assign(input_dropout=rng.beta(1, 12, rows), depth=rng.integers(1, 6, rows))
    table["sum_neurons"] = np.round(table.depth * rng.uniform(20, 600, rows))
    signal = np.sin(5 * table.l1) + table.rho**2 + table.depth / 5 * table.sum_neurons / 3000
    return table.assign(mse=signal + rng.normal(0, 0.3, rows))


def main(sizes: list[int]) -> None:
    """Print seconds, median and range."""
    for rows in sizes:
        fits, tests = [], []
        for _ in range(REPEATS):
            begun = time.perf_counter()
            fitted = fit_gam(FORMULA, search(rows))
            fits.append(time.perf_counter() - begun)
            begun = time.perf_counter()
            infer(fitted)
            tests.append(time.perf_counter() - begun)
        print(f"{rows:6d} rows: fitted in {spread(fits, 2, ' s')}, tested in {spread(tests, 1, ' s')}", flush=True)


if __name__ == "__main__":
    main([int(rows) for rows in sys.argv[1:]] or [100, 1000, 10_000])

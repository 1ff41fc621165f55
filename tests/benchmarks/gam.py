"""Measure the time to fit and test the GAM on searches of 100 to 10 000 configurations.

python tests/benchmarks/gam.py [CONFIGURATIONS ...]
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


def search(size: int) -> pd.DataFrame:
    """Return a search in the published space whose error depends on four of its columns."""
    rng = np.random.default_rng(size)
    table = pd.DataFrame(
        rng.uniform(size=(size, 5)), columns=["l1", "l2", "rho", "epsilon", "mean_hidden_dropout"]
    ).assign(input_dropout=rng.beta(1, 12, size), depth=rng.integers(1, 6, size))
    table["sum_neurons"] = np.round(table.depth * rng.uniform(20, 600, size))
    signal = np.sin(5 * table.l1) + table.rho**2 + table.depth / 5 * table.sum_neurons / 3000
    return table.assign(mse=signal + rng.normal(0, 0.3, size))


def main(sizes: list[int]) -> None:
    """Print the median and range of the seconds."""
    for size in sizes:
        fits, tests = [], []
        for _ in range(REPEATS):
            start = time.perf_counter()
            fitted = fit_gam(FORMULA, search(size))
            fits.append(time.perf_counter() - start)
            start = time.perf_counter()
            infer(fitted)
            tests.append(time.perf_counter() - start)
        print(f"{size:6d} configurations: fit {spread(fits, 2, ' s')}, tests {spread(tests, 1, ' s')}", flush=True)


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [100, 1000, 10_000])

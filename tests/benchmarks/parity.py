"""Compare the GAM with mgcv on the golden searches: a table with one row per response and method.

python tests/benchmarks/parity.py
"""

from pathlib import Path

import numpy as np
import pandas as pd

from gamtune.gam.model import fit_gam

GOLDEN = Path(__file__).parents[1] / "golden" / "gam"
FORMULA = (
    "s(l1, k=4) + s(l2, k=4) + s(input_dropout) + s(rho, k=4) + s(epsilon, k=4)"
    " + s(mean_hidden_dropout, k=4) + te(depth, sum_neurons, k=4)"
)


def main() -> None:
    """Print the table."""
    table = pd.read_csv(GOLDEN / "digits_random_100.csv")
    print("| response, method | deviance explained | total edf | criterion | lowest correlation | largest rms | se |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for response, spread in (("mse", table.mse.std()), ("log(mse)", np.log(table.mse).std())):
        for method in ("GCV", "REML"):
            name = f"digits_{response.replace('(', '').replace(')', '')}_{'GCV.Cp' if method == 'GCV' else method}"
            model, effects = (pd.read_csv(GOLDEN / f"{name}_{part}.csv") for part in ("model", "effects"))
            fitted = fit_gam(FORMULA, table, response, method)
            compared = []
            for term in fitted.terms:
                effect, error = fitted.effect(term.term, table)
                golden = effects[term.term]
                compared.append((
                    np.corrcoef(effect, golden)[0, 1], np.sqrt(np.mean((effect - golden) ** 2)) / spread,
                    np.abs(error / effects[f"se:{term.term}"] - 1).mean(),
                ))  # fmt: skip
            correlations, distances, errors = np.array(compared).T
            golden = model.iloc[0]
            print(
                f"| {response}, {method} | {fitted.deviance_explained:.4f}, {golden.deviance_explained:.4f} "
                f"| {fitted.edf_total:.2f}, {golden.edf_total:.2f} | {fitted.criterion:.5g}, {golden.criterion:.5g} "
                f"| {correlations.min():.5f} | {100 * distances.max():.2f} % | {100 * errors.max():.2f} % |"
            )


if __name__ == "__main__":
    main()

"""The summary of a fitted model as text, in the layout of mgcv's ``summary.gam``."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from gamtune.gam.inference import Inference
from gamtune.gam.model import FittedGam
from gamtune.gam.tables import model_table, term_table

STARS = ((0.001, "***"), (0.01, "**"), (0.05, "*"), (0.1, "."), (1.0, " "))
SMALL_SHARE = 5e-4  # shares below this would be printed as 0.0 %
TERM_HEADER = ["", "edf", "F", "p", "adjusted", "deviance", "of noise", "concurvity", "k-index", ""]
LEGEND = (
    "p: share of permutations with a statistic at least as large; adjusted: for all terms together (Holm)",
    "deviance: share lost without the term; of noise: its 95 % quantile over permutations; concurvity: worst case",
)


def summary_text(fitted: FittedGam, inference: Inference) -> str:
    """Return the summary of a model: coefficients, permutation tests of the terms, statistics and warnings.

    Parameters
    ----------
    fitted : FittedGam
        The model.
    inference : Inference
        Its tests.
    """
    return "\n".join(_lines(fitted, inference)) + "\n"


def _lines(fitted: FittedGam, inference: Inference) -> Iterator[str]:
    yield from ["Family: gaussian", "Link function: identity", "", "Formula:"]
    yield f"{fitted.response} ~ {fitted.formula}"
    yield from ["", "Parametric coefficients:"]
    yield from _aligned(
        ["", "Estimate", "Std. Error", "t value", "Pr(>|t|)", ""],
        [
            [row.name, f"{row.estimate:.5g}", f"{row.standard_error:.4g}", f"{row.t:.3f}", _p(row.p), _stars(row.p)]
            for row in fitted.parametric
        ],
    )
    yield from ["", "Permutation tests of the terms:"]
    yield from _aligned(TERM_HEADER, [_cells(row) for _, row in term_table(fitted, inference).iterrows()])
    yield from ["---", "Signif. codes:  0 '***' 0.001 '**' 0.01 '*' 0.05 '.' 0.1 ' ' 1", ""]
    yield f"R-sq.(adj) = {fitted.r_sq_adj:.3g}   Deviance explained = {100 * fitted.deviance_explained:.3g}%"
    criterion = "GCV" if fitted.method == "GCV" else "-REML"
    yield f"{criterion} = {fitted.criterion:.5g}  Scale est. = {fitted.scale:.5g}  n = {fitted.n}"
    null = model_table(fitted, inference).iloc[0]
    yield (
        f"Total edf = {fitted.edf_total:.3g}  p = {_p(null['p'])}; on permuted responses, the model explains"
        f" {100 * null['null_deviance_explained']:.3g}% (95 % quantile {100 * null['null_high']:.3g}%) with"
        f" {null['null_edf']:.3g} edf"
    )
    yield from LEGEND
    if fitted.warnings:
        yield ""
        yield from (f"Warning: {warning}" for warning in fitted.warnings)


def _cells(row: pd.Series) -> list[str]:
    """Return the line of one term."""
    return [
        row["term"], f"{row['edf']:.3f}", f"{row['F']:.3f}", _p(row["p"]), _p(row["p_adjusted"]),
        _percent(row["deviance_share"]), _percent(row["null_high"]), f"{row['concurvity_worst']:.2f}",
        "" if pd.isna(row["k_index"]) else f"{row['k_index']:.2f}", _stars(row["p_adjusted"]),
    ]  # fmt: skip


def _aligned(header: list[str], rows: list[list[str]]) -> Iterator[str]:
    """Yield lines whose first and last columns are aligned to the left and the others to the right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for first, *numbers, last in [header, *rows]:
        cells = [number.rjust(width) for number, width in zip(numbers, widths[1:-1], strict=True)]
        yield " ".join([first.ljust(widths[0]), *cells, last]).rstrip()


def _percent(share: float) -> str:
    digits = ".1f" if share == 0 or abs(share) >= SMALL_SHARE else ".2g"
    return f"{100 * share:{digits}}%"


def _p(p: float) -> str:
    return "<2e-16" if p < 2e-16 else f"{p:.3g}"


def _stars(p: float) -> str:
    return next(stars for limit, stars in STARS if p <= limit)

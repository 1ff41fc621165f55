"""Summaries, records and models for figures, and functions that read figures."""

import json
import re

import matplotlib as mpl
import numpy as np
import pandas as pd

from gamtune.figures.figure import SearchResults
from gamtune.figures.theme import STYLE, save


def draw(function, study, folder):
    """Save the figures that a function of the registry draws; return their captions by file name."""
    captions = {}
    with mpl.rc_context(STYLE):
        for figure in function(study):
            save(figure.plot, folder / figure.stem, figure.finish)
            captions[figure.stem] = figure.caption
    return captions


def draw_search(function, folder, summary, columns=(), log_columns=()):
    """Save the figures of a search that a function draws; return their captions by file name."""
    return draw(function, SearchResults(folder, summary, columns, log_columns), folder)


def searched(rows: int = 30) -> pd.DataFrame:
    """Return a summary in which the error increases with l1 and decreases with depth."""
    rng = np.random.default_rng(1)
    l1, depth = rng.uniform(0, 0.01, rows), rng.integers(1, 6, rows)
    return pd.DataFrame(
        {
            "trial": [f"{i:012x}" for i in range(rows)],
            "name": [f"random_{i + 1:03d}" for i in range(rows)],
            "depth": depth,
            "neurons": ["300 200"] * rows,
            "l1": l1,
            "l2": [0.001] * rows,
            "rho": [None] * rows,
            "sum_neurons": rng.integers(100, 900, rows),
            "activation": np.where(np.arange(rows) % 3 == 0, "tanh", "relu"),
            "status": "ok",
            "validation_mse": 0.05 + 10 * l1 - 0.008 * depth + rng.normal(0, 0.002, rows),
        }
    )


def study_of(folder, summary):
    """Write the summary, the table and a record per configuration; errors decrease, then increase a little."""
    summary.to_csv(folder / "summary.csv", index=False)
    summary[["trial", "name"]].to_csv(folder / "table.csv", index=False)
    for number, row in summary.iterrows():
        record = {"status": row["status"], "best_epoch": 3, "metrics": {"validation": {"mse": row["validation_mse"]}}}
        record["history"] = {"validation_mse": [row["validation_mse"] * factor for factor in (4, 2, 1, 1.1)]}
        if row["status"] == "failed":
            record |= {"metrics": None, "best_epoch": None}
            record["history"] = {"validation_mse": [0.9, 5.0]} if number % 2 else {}
        place = folder / "trials" / row["trial"]
        place.mkdir(parents=True)
        (place / "record.json").write_text(json.dumps(record))


def fitted(folder, response="validation_mse"):
    """Write the files of the step `gam`, for a line, a factor and a surface."""
    folder.mkdir(parents=True)
    x = np.linspace(0, 0.01, 20)
    line = pd.DataFrame({"term": "s(l1)", "x": x, "effect": 10 * (x - 0.005), "se": 0.004, "null": 0.01})
    levels = pd.DataFrame(
        {"term": "f(activation)", "x": ["relu", "tanh"], "effect": [-0.001, 0.002], "se": 0.003, "null": 0.006}
    )
    pd.concat([line, levels]).to_csv(folder / "curves.csv", index=False)
    a, b = (side.ravel() for side in np.meshgrid(np.linspace(1, 5, 9), np.linspace(100, 900, 9), indexing="ij"))
    surface = pd.DataFrame({"term": "te(depth,sum_neurons)", "a": a, "b": b, "effect": (3 - a) / 100, "se": 0.004})
    surface.assign(null=np.where(b > 700, np.nan, 0.015), far=b > 700).to_csv(folder / "surfaces.csv", index=False)
    pd.DataFrame(
        {
            "term": ["s(l1)", "f(activation)", "te(depth,sum_neurons)"],
            "edf": [1.04, 1, 3.2],
            "p": [0.001, 0.61, 0.0012],
            "p_adjusted": [0.003, 0.61, 0.0024],
            "deviance_share": [0.52, 0.002, 0.2],
            "null_high": [0.03, 0.02, 0.05],
        }
    ).to_csv(folder / "terms.csv", index=False)
    pd.DataFrame(
        {
            "deviance_explained": [0.83],
            "n": [30],
            "edf_total": [6.2],
            "p": [0.005],
            "null_edf": [5.9],
            "null_deviance_explained": [0.14],
            "null_high": [0.3],
        }
    ).to_csv(folder / "model.csv", index=False)
    (folder / "summary.txt").write_text(f"Formula:\n{response} ~ s(l1) + f(activation) + te(depth, sum_neurons)\n")
    return folder


def text_of(figure):
    """Return the texts of an SVG figure, which matplotlib writes as comments beside their outlines."""
    return re.findall(r"<!-- (.*?) -->", figure.with_suffix(".svg").read_text(encoding="utf-8"), re.DOTALL)

"""Figures: what they say, what they leave out, and that no table makes them fail."""

import html
import json
import re
import warnings

import numpy as np
import pandas as pd
import pytest
from made import dataset

from gamtune.analysis.comparable import ON_TEST_ROWS
from gamtune.figures.budget import draw_budget
from gamtune.figures.contour import draw_contours
from gamtune.figures.effects import gam_figures, label
from gamtune.figures.learning import draw_learning
from gamtune.figures.optimum_figures import write_optimum_figures
from gamtune.figures.parallel import draw_parallel
from gamtune.figures.scatter import mse_by_parameter
from gamtune.figures.search_figures import write_figures
from gamtune.figures.smoothing import loess_is_sound, polynomial
from gamtune.figures.surface import _striped
from gamtune.figures.theme import log_ticks
from gamtune.gam.formula import parse_term
from gamtune.results.artefacts import write_artefact
from gamtune.results.captions import Captions


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def searched(rows: int = 30) -> pd.DataFrame:
    """A summary in which the error rises with l1 and falls with depth."""
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
    """A study's folder with the summary, its table and a record for each row; errors fall, then rise a little."""
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
    """The files that the step `gam` leaves, for a line, a factor and a surface."""
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


def test_every_caption_has_its_two_files_and_every_figure_its_caption(tmp_path):
    study_of(tmp_path, searched())
    fitted(tmp_path / "gam")
    (tmp_path / "gam" / "importance.csv").write_text(
        "measure,name,importance,low,high,null_high,rank,rank_low,rank_high,first\n"
        "deviance_share,s(l1),0.5,0.4,0.6,0.03,1,1,1,0.97\n"
        "deviance_share,f(activation),0.01,0,0.03,0.02,2,2,2,0.03\n"
        "ped_anova,l1,0.9,0.6,0.95,0.4,1,1,2,0.8\nped_anova,depth,0.1,0.0,0.3,0.4,2,1,2,0.2\n"
    )
    write_figures(tmp_path, [], ["depth", "l1", "sum_neurons", "activation"], [], figures := tmp_path / "figures")
    captions = Captions.read(figures / "captions.json").captions
    assert set(captions) == {
        "mse_by_parameter", "mse_by_category", "gam_effects", "gam_l1", "gam_activation", "gam_surface_depth_sum_neurons",
        "importance", "budget", "parallel_coordinates", "contours", "learning_curves",
    }  # fmt: skip
    told = "Deviance share (model): s(l1) is first, and stays first in 97 % of the bootstrap samples; 1 of 2 are above noise"
    assert told in captions["importance"]
    assert "PED-ANOVA (no model): l1 is first" in captions["importance"]
    drawn = {f"{stem}.{kind}" for stem in captions for kind in ("png", "svg")}
    assert {path.name for path in figures.glob("[!.]*")} == drawn | {"captions.json"}


def test_a_skipped_model_leaves_the_scatter_figure_alone(tmp_path):
    study_of(tmp_path, searched(1))
    (tmp_path / "gam").mkdir()
    (tmp_path / "gam" / "skipped.txt").write_text("too few rows\n")
    write_figures(tmp_path, [], ["l1"], [], tmp_path / "figures")
    captions = Captions.read(tmp_path / "figures" / "captions.json").captions
    assert list(captions) == ["mse_by_parameter", "learning_curves"]  # one row has no budget to look back on


def test_the_budget_curve_says_what_the_second_half_bought(tmp_path):
    table = searched(40)
    caption = draw_budget(table, tmp_path / "budget")
    best = table.validation_mse.min()
    assert f"all came to {best:.3g}" in caption
    draws = np.random.default_rng(7).permuted(np.tile(table.validation_mse, (20_000, 1)), axis=1)[:, :20].min(axis=1)
    bought = round(100 * (1 - best / np.median(draws)))
    assert int(re.search(r"budget bought (\d+) %", caption)[1]) == pytest.approx(bought, abs=3)


def test_learning_curves_name_the_best_and_count_the_failed(tmp_path):
    table = searched(8)
    table.loc[[2, 5], ["status", "validation_mse"]] = ["failed", np.nan]
    study_of(tmp_path, table)
    caption = draw_learning(tmp_path, [], tmp_path / "learning_curves")
    ranked = table[table.status == "ok"].sort_values("validation_mse")["name"].tolist()
    assert caption.startswith(f"Validation error by epoch: {', '.join(ranked[:3])} (the best")
    assert "in 0 of 6 rows it is the last" in caption
    assert "2 rows failed" in caption
    assert "failed (1)" in (tmp_path / "learning_curves.svg").read_text()  # the other had no sound epoch


def test_parallel_coordinates_say_where_the_best_tenth_lies_and_bear_texts_and_gaps(tmp_path):
    table = searched(40).assign(rate=np.where(np.arange(40) % 2, np.logspace(-4, 0, 40), np.nan))
    caption = draw_parallel(table, ["l1", "l2", "rate", "activation"], {"rate"}, tmp_path / "parallel")
    best = table.nsmallest(4, "validation_mse")
    assert f"The best 4 rows have l1 {best.l1.min():.4g} to {best.l1.max():.4g}" in caption
    drawn = (tmp_path / "parallel.svg").read_text()
    assert "<!-- tanh -->" in drawn
    assert "<!-- l2 -->" not in drawn  # it does not vary


def test_contours_take_the_columns_that_go_with_the_error_and_need_rows(tmp_path):
    caption = draw_contours(searched(60), ["l1", "depth", "sum_neurons", "activation"], set(), tmp_path / "contours")
    assert "3 columns that go with it most: l1, depth, sum_neurons" in caption
    assert draw_contours(searched(11), ["l1", "depth"], set(), tmp_path / "few") is None
    assert not (tmp_path / "few.png").exists()


def predicted(folder, probabilities, actual):
    rows = pd.DataFrame(probabilities, columns=["p_cat", "p_dog"])
    said = rows.idxmax(axis=1).str.removeprefix("p_")
    rows.insert(0, "predicted", said)
    rows.insert(0, "actual", actual)
    return drawn_optimum(folder, rows)


def drawn_optimum(folder, rows, selection="validation"):
    for name in ("optimum", "data"):
        (folder / name).mkdir()
    write_artefact(rows, folder / "optimum" / "predictions.csv")
    dataset(selection=selection).write(folder / "data" / "digest.json")
    write_optimum_figures(folder, folder / "figures")
    return Captions.read(folder / "figures" / "captions.json").captions


def test_calibration_tells_how_much_too_sure_the_network_is(tmp_path):
    captions = predicted(tmp_path, [[0.9, 0.1]] * 10, ["cat"] * 6 + ["dog"] * 4)
    assert "claims 90.0 % and is right in 60.0 %, so it is overconfident by 30.0 points" in captions["calibration"]
    assert "expected calibration error 0.300" in captions["calibration"]
    assert "10 test rows: 4 wrong" in captions["confusion_matrix"]
    assert {path.stem for path in (tmp_path / "figures").glob("*.png")} == set(captions)


def test_a_regression_is_drawn_predicted_against_actual(tmp_path):
    actual = np.linspace(0, 10, 50)
    (caption,) = drawn_optimum(tmp_path, pd.DataFrame({"actual": actual, "predicted": actual / 2}), "test").values()
    assert caption.endswith(ON_TEST_ROWS)
    assert ON_TEST_ROWS in (tmp_path / "figures" / "predicted_against_actual.svg").read_text()
    assert "slope 2.00" in caption
    assert f"off by at most {np.quantile(actual / 2, 0.9):.3g}" in caption


def test_the_caption_names_the_best_row_the_strongest_relation_and_the_failures(tmp_path):
    table = searched()
    table.loc[3, ["status", "validation_mse"]] = ["failed", np.nan]
    best = table.loc[table["validation_mse"].idxmin()]
    caption = mse_by_parameter(table, ["depth", "l1"], [], tmp_path)["mse_by_parameter"]
    assert caption.startswith("29 rows, 1 failed and not drawn")
    assert f"the best ({best['name']}) has validation_mse {best['validation_mse']:.3g}" in caption
    assert "l1 +0.9" in caption.split("Strongest")[1].split(",")[0]


def test_constant_empty_and_per_layer_columns_are_left_out(tmp_path):
    caption = mse_by_parameter(searched(), ["depth", "neurons", "l1", "l2", "rho"], [], tmp_path)["mse_by_parameter"]
    assert "l2" not in caption
    assert "rho" not in caption
    drawn = (tmp_path / "mse_by_parameter.svg").read_text()
    assert "<!-- depth -->" in drawn
    assert not any(f"<!-- {name} -->" in drawn for name in ("neurons", "l2", "rho"))


LOGGED = "s(log(learning_rate))"


def text_of(figure):
    """The texts of an SVG figure: matplotlib writes each as a comment beside its outlines."""
    return re.findall(r"<!-- (.*?) -->", figure.with_suffix(".svg").read_text(encoding="utf-8"), re.DOTALL)


def test_a_logarithmic_column_is_drawn_on_a_logarithmic_axis_in_natural_units(tmp_path):
    table = searched().assign(learning_rate=np.logspace(-4, 0, 30))
    caption = mse_by_parameter(table, ["learning_rate", "depth"], ["learning_rate"], tmp_path)["mse_by_parameter"]
    assert {"learning_rate", "0.0001", "0.001", "0.01", "0.1", "1"} <= set(text_of(tmp_path / "mse_by_parameter"))
    assert not any("log10" in text for text in text_of(tmp_path / "mse_by_parameter"))
    assert "Logarithmic axes: learning_rate." in caption
    draw_contours(table, ["l1", "learning_rate"], {"learning_rate"}, tmp_path / "contours")
    assert {"learning_rate", "0.0001", "0.01", "1"} <= set(text_of(tmp_path / "contours"))
    draw_parallel(table, ["l1", "learning_rate"], {"learning_rate"}, tmp_path / "parallel")
    assert {"0.0001", "0.01", "1"} <= set(text_of(tmp_path / "parallel"))
    draw_parallel(table, ["l1", "learning_rate"], set(), tmp_path / "natural")
    assert "0.01" not in text_of(tmp_path / "natural")


def test_effects_and_surfaces_of_logarithms_have_logarithmic_axes_in_natural_units(tmp_path):
    folder = fitted(tmp_path / "gam")
    rate = np.logspace(-4, 0, 20)
    curves, surfaces, terms = (pd.read_csv(folder / f"{name}.csv") for name in ("curves", "surfaces", "terms"))
    curve = pd.DataFrame({"term": LOGGED, "x": rate, "effect": np.log10(rate) / 10, "se": 0.01, "null": 0.02})
    natural = curve.assign(term="s(learning_rate)")
    pd.concat([curves, curve, natural]).to_csv(folder / "curves.csv", index=False)
    both = surfaces.assign(
        term="ti(log(learning_rate),depth)", b=surfaces["a"], a=10 ** (surfaces["b"] / 200 - 5), far=False
    )
    pd.concat([surfaces, both.assign(null=0.01)]).to_csv(folder / "surfaces.csv", index=False)
    more = [terms.iloc[[0]].assign(term=name) for name in (LOGGED, "s(learning_rate)", "ti(log(learning_rate),depth)")]
    pd.concat([terms, *more]).to_csv(folder / "terms.csv", index=False)
    captions = gam_figures(folder, searched().assign(learning_rate=np.logspace(-4, 0, 30)), tmp_path)
    assert {"gam_log_learning_rate", "gam_learning_rate", "gam_surface_log_learning_rate_depth"} <= set(captions)
    assert (
        "Effect of learning_rate on validation_mse: lowest −0.4 ± 0.02 at 0.0001" in captions["gam_log_learning_rate"]
    )
    logarithmic = {"0.0001", "0.01"}
    assert {"learning_rate", "s(log(learning_rate), 1.0)"} | logarithmic <= set(
        text_of(tmp_path / "gam_log_learning_rate")
    )
    assert logarithmic <= set(text_of(tmp_path / "gam_surface_log_learning_rate_depth"))
    assert not logarithmic & set(text_of(tmp_path / "gam_learning_rate"))  # drawn as it is written


@pytest.mark.parametrize(
    ("low", "high", "most"),
    [(1e-9, 1e3, 4), (1e-5, 1e-1, 5), (3e-3, 3e-2, 4), (0.9, 0.999, 4), (1, 1.5, 6), (2e-300, 5e200, 6)],
)
def test_a_logarithmic_axis_has_a_few_ticks_whatever_its_range(low, high, most):
    ticks = log_ticks(low, high, most)
    assert 2 <= len(ticks) <= most + 2
    assert min(ticks) >= low
    assert max(ticks) <= high


NAMES = [
    "$", "$$", "$$$", "$x^2$", "_under", "^", "\\alpha", "100 %", "{x}", "a & <b>", "it's \"it\"", "-1", "=1+1", "None",
    "\u540d\u524d", "\u043a\u043b\u0430\u0441\u0441", "x" * 300 + "1", "x" * 300 + "2",
]  # fmt: skip


def test_classes_are_drawn_by_their_names_whatever_these_are(tmp_path):
    rng = np.random.default_rng(1)
    probabilities = rng.dirichlet(np.ones(len(NAMES)), 60)
    rows = pd.DataFrame(probabilities, columns=[f"p_{name}" for name in NAMES])
    rows.insert(0, "predicted", [NAMES[place] for place in probabilities.argmax(axis=1)])
    rows.insert(0, "actual", rng.choice(NAMES, 60))
    captions = drawn_optimum(tmp_path, rows)
    wrong = int((rows["actual"] != rows["predicted"]).sum())
    assert f"60 test rows: {wrong} wrong" in captions["confusion_matrix"]
    drawn = text_of(tmp_path / "figures" / "confusion_matrix")
    for name in NAMES[:-2]:
        assert drawn.count(html.escape(name, quote=False)) == 2, name  # once per axis
    assert "x" * 14 + "…" + "x" * 12 + "1" in drawn
    assert {path.stem for path in (tmp_path / "figures").glob("*.png")} == set(captions)


def test_rows_are_named_in_the_legend_whatever_their_names_are(tmp_path):
    for number, name in enumerate(("$x$", "_under", "$$", "a\\b", "{x}", "%s")):
        folder = tmp_path / str(number)
        folder.mkdir()
        table = searched(4).assign(name=[name, "b", "c", "d"], validation_mse=[0.01, 0.02, 0.03, 0.04])
        study_of(folder, table)
        assert draw_learning(folder, [], folder / "learning").startswith(f"Validation error by epoch: {name}, b, c (")
        assert name in text_of(folder / "learning")


def test_a_diverged_row_makes_the_error_axis_logarithmic_and_the_caption_says_so(tmp_path):
    table = searched()
    table.loc[0, "validation_mse"] = 1000.0
    captions = mse_by_parameter(table, ["l1", "activation"], [], tmp_path)
    assert all("Logarithmic error axis" in caption for caption in captions.values())


def test_a_column_of_few_values_has_a_parabola_and_the_caption_says_so(tmp_path):
    caption = mse_by_parameter(searched(), ["depth", "l1"], [], tmp_path)["mse_by_parameter"]
    assert "for want of distinct values: depth." in caption


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 9])
def test_few_rows_neither_warn_nor_fail(tmp_path, rows):
    mse_by_parameter(searched(rows), ["depth", "l1", "activation"], [], tmp_path)
    assert (tmp_path / "mse_by_parameter.png").stat().st_size > 1000


def test_a_table_of_failures_still_gives_the_figure_the_workflow_expects(tmp_path):
    table = searched(4).assign(status="failed", validation_mse=np.nan)
    assert "0 rows" in mse_by_parameter(table, ["l1", "activation"], [], tmp_path)["mse_by_parameter"]
    assert (tmp_path / "mse_by_parameter.png").exists()


@pytest.mark.parametrize(
    ("values", "sound"),
    [
        (np.arange(8.0), True),
        (np.arange(7.0), False),  # three quarters of seven rows are five
        (np.repeat(np.arange(5.0), 20), False),  # depth
        (np.concatenate([np.zeros(80), np.arange(1, 21)]), False),  # most rows at one value
    ],
)
def test_loess_is_drawn_only_where_each_neighbourhood_carries_it(values, sound):
    assert loess_is_sound(values) is sound


def test_the_band_of_a_straight_line_is_the_confidence_band_of_its_mean():
    x, y = np.array([0.0, 0, 0, 1, 1, 1]), np.array([0.0, 1, 2, 3, 4, 5])
    drawn = polynomial(pd.DataFrame({"x": x, "y": y}), np.array([0.0, 1.0]), {"level": 0.95})
    # 1 and 4, minus t(0.975, 4 degrees of freedom) times 1 / sqrt(3)
    assert drawn["y"].tolist() == pytest.approx([1, 4])
    assert drawn["ymin"].tolist() == pytest.approx([-0.602982, 2.397018], abs=1e-5)


def test_equal_data_give_equal_bytes(tmp_path):
    for folder in ("first", "second"):
        mse_by_parameter(searched(), ["l1", "activation"], [], tmp_path / folder)
        gam_figures(fitted(tmp_path / folder / "gam"), searched(), tmp_path / folder)
    drawn = sorted((tmp_path / "first").glob("*.[ps][nv]g"))
    assert len(drawn) == 12
    for path in drawn:
        assert path.read_bytes() == (tmp_path / "second" / path.name).read_bytes(), path.name


def test_captions_of_effects_carry_size_band_and_test(tmp_path):
    captions = gam_figures(fitted(tmp_path / "gam"), searched(), tmp_path)
    assert "lowest −0.05 ± 0.0078 at 0, highest +0.05 ± 0.0078 at 0.01" in captions["gam_l1"]
    told = (
        "edf 1.0 of the model's 6.2 (on noise 5.9), 30 rows; p ≤ .001 by permutation, p = 0.003 for all terms together"
    )
    assert f"{told}; 52.0 % of the deviance (noise: up to 3.0 %)" in captions["gam_l1"]
    assert (
        "83 % of the deviance of validation_mse over 30 rows with 6.2 edf; of noise it would" in captions["gam_effects"]
    )
    assert "Not told from noise (p > .05 for all terms together): f(activation)." in captions["gam_effects"]
    assert "hatched (56 % of the map) where noise reaches" in captions["gam_surface_depth_sum_neurons"]
    assert "at depth 5" in captions["gam_surface_depth_sum_neurons"]


def test_an_effects_panel_is_named_as_in_mgcv(tmp_path):
    gam_figures(fitted(tmp_path / "gam"), searched(), tmp_path)
    assert "<!-- s(l1, 1.0) -->" in (tmp_path / "gam_l1.svg").read_text()


def test_effects_on_a_logarithm_are_told_as_factors(tmp_path):
    captions = gam_figures(fitted(tmp_path / "gam", "log(validation_mse)"), searched(), tmp_path)
    assert "grows by a factor of 1.11" in captions["gam_l1"]  # exp(0.1)


def test_a_surface_has_one_stripe_for_each_depth_and_nothing_between():
    places, layers = np.linspace(1, 3, 5), np.ma.array(np.arange(5.0).reshape(1, 1, 5))
    drawn, repeated = _striped(places, layers, 2, pd.Series([1, 2, 3, 3]))
    assert repeated[0, 0].compressed().tolist() == [0, 0, 2, 2, 4, 4]
    assert drawn[[1, 2]].tolist() == pytest.approx([0.58, 1.42])


def test_an_axis_is_named_as_mgcv_names_it():
    assert label(parse_term("te(log(rate),sum_neurons)"), 6.78) == "te(log(rate),sum_neurons, 6.8)"
    assert label(parse_term("log(epochs)"), 1) == "log(epochs), 1.0"


def test_a_halvings_rows_are_drawn_as_what_they_are(tmp_path):
    first = searched(27).assign(rung=0, epochs=1)
    second = searched(27).iloc[:9].assign(rung=1, epochs=3)
    second["validation_mse"] /= 4
    captions = mse_by_parameter(pd.concat([first, second], ignore_index=True), ["depth", "l1", "epochs"], [], tmp_path)
    caption = captions["mse_by_parameter"]
    best = second.loc[second["validation_mse"].idxmin(), "name"]
    assert f"the best ({best})" in caption
    assert "A row has a dot for each rung that it reached, after epochs 1 (27 rows), 3 (9 rows)" in caption
    drawn = (tmp_path / "mse_by_parameter.svg").read_text()
    assert "epochs trained" in drawn
    assert drawn.count("<!-- epochs") == 1  # of the legend: epochs are colours, not a panel


def test_a_class_named_none_is_counted_as_any_other(tmp_path):
    rows = pd.DataFrame({"actual": ["None", "Mild", "None", "NA"], "predicted": ["None", "Mild", "Mild", "NA"]})
    probabilities = {f"p_{name}": (rows["predicted"] == name) * 0.8 + 0.1 for name in ("Mild", "NA", "None")}
    captions = drawn_optimum(tmp_path, rows.assign(**probabilities))
    assert captions["confusion_matrix"].startswith("Confusion matrix of 4 test rows: 1 wrong")

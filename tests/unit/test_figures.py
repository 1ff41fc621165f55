"""Figures of the search and their captions, for any summary."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest
from figure_data import draw_search, fitted, searched, study_of, text_of

from gamtune.figures.budget import draw_budget
from gamtune.figures.captions import draw_all
from gamtune.figures.contour import draw_contours
from gamtune.figures.figure import ReportFigure, SearchResults
from gamtune.figures.learning import draw_learning
from gamtune.figures.parallel import draw_parallel
from gamtune.figures.registry import FIGURES, OPTIMUM_FIGURES, Section
from gamtune.figures.scatter import draw_scatter
from gamtune.figures.search_figures import write_figures
from gamtune.figures.smoothing import loess_is_sound, polynomial
from gamtune.figures.theme import log_ticks, new_figure
from gamtune.registry import Registry
from gamtune.results.captions import Captions


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def test_every_figure_has_a_caption_and_two_files(tmp_path):
    study_of(tmp_path, searched())
    fitted(tmp_path / "gam")
    (tmp_path / "gam" / "importance.csv").write_text(
        "measure,name,importance,low,high,null_high,rank,rank_low,rank_high,first\n"
        "deviance_share,s(l1),0.5,0.4,0.6,0.03,1,1,1,0.97\n"
        "deviance_share,f(activation),0.01,0,0.03,0.02,2,2,2,0.03\n"
        "ped_anova,l1,0.9,0.6,0.95,0.4,1,1,2,0.8\nped_anova,depth,0.1,0.0,0.3,0.4,2,1,2,0.2\n"
    )
    write_figures(tmp_path, [], ["depth", "l1", "sum_neurons", "activation"], [], figures := tmp_path / "figures")
    written = Captions.read(figures / "captions.json")
    captions, sections = written.captions, written.sections
    assert set(captions) == {
        "mse_by_parameter", "mse_by_category", "gam_effects", "gam_l1", "gam_activation", "gam_surface_depth_sum_neurons",
        "importance", "budget", "parallel_coordinates", "contours", "learning_curves",
    }  # fmt: skip
    shares = "Deviance share (model): s(l1) ranks first, and does so in 97 % of the bootstrap samples; 1 of 2 are above"
    assert shares in captions["importance"]
    assert "PED-ANOVA (no model): l1 ranks first" in captions["importance"]
    drawn = {f"{stem}.{kind}" for stem in captions for kind in ("png", "svg")}
    assert {path.name for path in figures.glob("[!.]*")} == drawn | {"captions.json"}
    assert sections.keys() == captions.keys()
    assert set(sections.values()) <= set(Section)


def test_without_a_model_only_the_scatter_figure_is_drawn(tmp_path):
    study_of(tmp_path, searched(1))
    (tmp_path / "gam").mkdir()
    (tmp_path / "gam" / "skipped.txt").write_text("too few rows\n")
    write_figures(tmp_path, [], ["l1"], [], tmp_path / "figures")
    captions = Captions.read(tmp_path / "figures" / "captions.json").captions
    assert list(captions) == ["mse_by_parameter", "learning_curves"]


def test_the_budget_curve_states_the_gain_of_the_second_half(tmp_path):
    table = searched(40)
    caption = draw_search(draw_budget, tmp_path, table)["budget"]
    best = table.validation_mse.min()
    assert f"after all, it is {best:.3g}." in caption
    draws = np.random.default_rng(7).permuted(np.tile(table.validation_mse, (20_000, 1)), axis=1)[:, :20].min(axis=1)
    gained = round(100 * (1 - best / np.median(draws)))
    assert int(re.search(r"budget lowers the error by (\d+) %", caption)[1]) == pytest.approx(gained, abs=3)


def test_learning_curves_name_the_best_trial_and_count_failed_trials(tmp_path):
    table = searched(8)
    table.loc[[2, 5], ["status", "validation_mse"]] = ["failed", np.nan]
    study_of(tmp_path, table)
    caption = draw_search(draw_learning, tmp_path, table)["learning_curves"]
    ranked = table[table.status == "ok"].sort_values("validation_mse")["name"].tolist()
    assert caption.startswith(
        f"Learning curves of validation_mse. In colour: the best configurations, {', '.join(ranked[:3])},"
    )
    assert "In 0 of 6 configurations the last epoch is the best" in caption
    assert "2 failed; those" in caption
    assert (
        "failed (1)" in (tmp_path / "learning_curves.svg").read_text()
    )  # the other trial has no epoch with finite metrics


def test_parallel_coordinates_state_the_ranges_of_the_best_tenth_and_accept_text_and_missing_values(tmp_path):
    table = searched(40).assign(rate=np.where(np.arange(40) % 2, np.logspace(-4, 0, 40), np.nan))
    columns = ["l1", "l2", "rate", "activation"]
    caption = draw_search(draw_parallel, tmp_path, table, columns, {"rate"})["parallel_coordinates"]
    best = table.nsmallest(4, "validation_mse")
    assert f"The best 4 configurations have l1 {best.l1.min():.4g} to {best.l1.max():.4g}" in caption
    drawn = (tmp_path / "parallel_coordinates.svg").read_text()
    assert "<!-- tanh -->" in drawn
    assert "<!-- l2 -->" not in drawn  # it does not vary


def test_contours_use_the_columns_correlated_with_the_error(tmp_path):
    columns = ["l1", "depth", "sum_neurons", "activation"]
    caption = draw_search(draw_contours, tmp_path, searched(60), columns)["contours"]
    assert re.search(
        r"3 columns with the strongest rank correlation with it: l1 \+0\S+, depth −0\S+, sum_neurons", caption
    )
    assert draw_search(draw_contours, tmp_path, searched(11), ["l1", "depth"]) == {}


def test_the_caption_states_the_best_trial_the_strongest_correlation_and_the_failures(tmp_path):
    table = searched()
    table.loc[3, ["status", "validation_mse"]] = ["failed", np.nan]
    best = table.loc[table["validation_mse"].idxmin()]
    caption = draw_search(draw_scatter, tmp_path, table, ["depth", "l1"])["mse_by_parameter"]
    assert caption.startswith("29 configurations (1 more failed and are not drawn)")
    assert f"the best ({best['name']}) has validation_mse {best['validation_mse']:.3g}" in caption
    assert "l1 +0.9" in caption.split("Strongest")[1].split(",")[0]


def test_constant_empty_and_per_layer_columns_are_left_out(tmp_path):
    columns = ["depth", "neurons", "l1", "l2", "rho"]
    caption = draw_search(draw_scatter, tmp_path, searched(), columns)["mse_by_parameter"]
    assert "l2" not in caption
    assert "rho" not in caption
    drawn = (tmp_path / "mse_by_parameter.svg").read_text()
    assert "<!-- depth -->" in drawn
    assert not any(f"<!-- {name} -->" in drawn for name in ("neurons", "l2", "rho"))


def test_a_logarithmic_column_is_drawn_on_a_logarithmic_axis_in_natural_units(tmp_path):
    table = searched().assign(learning_rate=np.logspace(-4, 0, 30))
    captions = draw_search(draw_scatter, tmp_path, table, ["learning_rate", "depth"], ["learning_rate"])
    assert {"learning_rate", "0.0001", "0.001", "0.01", "0.1", "1"} <= set(text_of(tmp_path / "mse_by_parameter"))
    assert not any("log10" in text for text in text_of(tmp_path / "mse_by_parameter"))
    assert "Logarithmic axes: learning_rate." in captions["mse_by_parameter"]
    draw_search(draw_contours, tmp_path, table, ["l1", "learning_rate"], {"learning_rate"})
    assert {"learning_rate", "0.0001", "0.01", "1"} <= set(text_of(tmp_path / "contours"))
    draw_search(draw_parallel, tmp_path, table, ["l1", "learning_rate"], {"learning_rate"})
    assert {"0.0001", "0.01", "1"} <= set(text_of(tmp_path / "parallel_coordinates"))
    draw_search(draw_parallel, tmp_path, table, ["l1", "learning_rate"])
    assert "0.01" not in text_of(tmp_path / "parallel_coordinates")


@pytest.mark.parametrize(
    ("low", "high", "most"),
    [(1e-9, 1e3, 4), (1e-5, 1e-1, 5), (3e-3, 3e-2, 4), (0.9, 0.999, 4), (1, 1.5, 6), (2e-300, 5e200, 6)],
)
def test_a_logarithmic_axis_has_a_few_ticks_for_any_range(low, high, most):
    ticks = log_ticks(low, high, most)
    assert 2 <= len(ticks) <= most + 2
    assert min(ticks) >= low
    assert max(ticks) <= high


def test_any_configuration_name_can_appear_in_the_legend(tmp_path):
    for number, name in enumerate(("$x$", "_under", "$$", "a\\b", "{x}", "%s")):
        folder = tmp_path / str(number)
        folder.mkdir()
        table = searched(4).assign(name=[name, "b", "c", "d"], validation_mse=[0.01, 0.02, 0.03, 0.04])
        study_of(folder, table)
        caption = draw_search(draw_learning, folder, table)["learning_curves"]
        assert f"the best configurations, {name}, b, c," in caption
        assert name in text_of(folder / "learning_curves")


@pytest.mark.parametrize(("factor", "logarithmic"), [(10.1, True), (9.9, False)])
def test_the_error_axis_is_logarithmic_for_errors_over_more_than_a_factor_of_ten(tmp_path, factor, logarithmic):
    table = searched()
    table["validation_mse"] = np.linspace(0.02, 0.02 * factor, len(table))
    captions = draw_search(draw_scatter, tmp_path, table, ["l1", "activation"])
    assert len(captions) == 2
    assert all(("Logarithmic error axis" in caption) is logarithmic for caption in captions.values())


def test_a_column_with_few_values_has_a_parabola_as_stated_in_the_caption(tmp_path):
    caption = draw_search(draw_scatter, tmp_path, searched(), ["depth", "l1"])["mse_by_parameter"]
    assert "because of few distinct values: depth." in caption


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 9])
def test_figures_of_few_trials_raise_no_warning(tmp_path, rows):
    draw_search(draw_scatter, tmp_path, searched(rows), ["depth", "l1", "activation"])
    assert (tmp_path / "mse_by_parameter.png").stat().st_size > 1000


def test_a_study_without_finished_trials_has_the_expected_figure(tmp_path):
    table = searched(4).assign(status="failed", validation_mse=np.nan)
    captions = draw_search(draw_scatter, tmp_path, table, ["l1", "activation"])
    assert "0 configurations" in captions["mse_by_parameter"]
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
def test_loess_is_drawn_only_if_every_neighbourhood_has_enough_values(values, sound):
    assert loess_is_sound(values) is sound


def test_the_band_of_a_straight_line_is_the_confidence_band_of_its_mean():
    x, y = np.array([0.0, 0, 0, 1, 1, 1]), np.array([0.0, 1, 2, 3, 4, 5])
    drawn = polynomial(pd.DataFrame({"x": x, "y": y}), np.array([0.0, 1.0]), {"level": 0.95})
    # 1 and 4, minus t(0.975, 4 degrees of freedom) times 1 / sqrt(3)
    assert drawn["y"].tolist() == pytest.approx([1, 4])
    assert drawn["ymin"].tolist() == pytest.approx([-0.602982, 2.397018], abs=1e-5)


def test_trials_of_different_rungs_are_distinguished_in_figures(tmp_path):
    first = searched(27).assign(rung=0, epochs=1)
    second = searched(27).iloc[:9].assign(rung=1, epochs=3)
    second["validation_mse"] /= 4
    both = pd.concat([first, second], ignore_index=True)
    caption = draw_search(draw_scatter, tmp_path, both, ["depth", "l1", "epochs"])["mse_by_parameter"]
    best = second.loc[second["validation_mse"].idxmin(), "name"]
    assert f"the best ({best})" in caption
    assert "A configuration has one dot per rung that it reached, after epochs 1 (n = 27), 3 (n = 9)" in caption
    drawn = (tmp_path / "mse_by_parameter.svg").read_text()
    assert "epochs trained" in drawn
    assert drawn.count("<!-- epochs") == 1  # of the legend: epochs are colours, not a panel


def draw_twice(study):
    yield ReportFigure("same", new_figure(1, 1), "one")
    yield ReportFigure("same", new_figure(1, 1), "other")


def test_two_figures_with_the_same_file_name_raise_an_error(tmp_path):
    registry = Registry("gamtune.no_figures", {"twice": f"{__name__}:draw_twice"})
    with pytest.raises(ValueError, match="'twice' draws 'same', but another figure has this file name"):
        draw_all(registry, SearchResults(tmp_path, searched(2), []), None, tmp_path)


@pytest.mark.parametrize("registry", [FIGURES, OPTIMUM_FIGURES])
def test_every_built_in_figure_is_a_function_of_one_module(registry):
    for name, place in registry.built_in.items():
        assert callable(registry.load(name))
        assert place.partition(":")[2].startswith("draw_")

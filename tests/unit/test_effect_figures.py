"""Figures of the effects of the generalised additive model (GAM)."""

import warnings

import numpy as np
import pandas as pd
import pytest
from figure_data import draw_search, fitted, searched, text_of

from gamtune.figures.effects import draw_effects, label
from gamtune.figures.scatter import draw_scatter
from gamtune.figures.surface import _striped
from gamtune.gam.formula import parse_term

LOGGED = "s(log(learning_rate))"


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


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
    captions = draw_search(draw_effects, tmp_path, searched().assign(learning_rate=np.logspace(-4, 0, 30)))
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


def test_equal_data_give_equal_bytes(tmp_path):
    for folder in ("first", "second"):
        fitted(tmp_path / folder / "gam")
        draw_search(draw_scatter, tmp_path / folder, searched(), ["l1", "activation"])
        draw_search(draw_effects, tmp_path / folder, searched())
    drawn = sorted((tmp_path / "first").glob("*.[ps][nv]g"))
    assert len(drawn) == 12
    for path in drawn:
        assert path.read_bytes() == (tmp_path / "second" / path.name).read_bytes(), path.name


def test_captions_of_effects_state_size_null_band_and_test(tmp_path):
    fitted(tmp_path / "gam")
    captions = draw_search(draw_effects, tmp_path, searched())
    assert "lowest −0.05 ± 0.0078 at 0, highest +0.05 ± 0.0078 at 0.01" in captions["gam_l1"]
    test = "p ≤ 0.001 by permutation, p = 0.003 adjusted for all terms; 52.0 % of the deviance (95 % of noise: up to 3.0 %)"
    assert f"1.0 of 6.2 in the model (5.9 for noise); 30 configurations; {test}." in captions["gam_l1"]
    explained = "83 % of the deviance of validation_mse over 30 configurations with 6.2 effective degrees of freedom"
    assert explained in captions["gam_effects"]
    assert (
        "the median is 14 % with 5.9 degrees of freedom, and 95 % of noise stays below 30 %" in captions["gam_effects"]
    )
    assert "Not distinguishable from noise (adjusted p > 0.05): f(activation)." in captions["gam_effects"]
    assert "hatched (56 % of the map): within the null band" in captions["gam_surface_depth_sum_neurons"]
    assert "at depth 5" in captions["gam_surface_depth_sum_neurons"]


def test_panels_of_effects_have_the_labels_of_mgcv(tmp_path):
    fitted(tmp_path / "gam")
    draw_search(draw_effects, tmp_path, searched())
    assert "<!-- s(l1, 1.0) -->" in (tmp_path / "gam_l1.svg").read_text()


def test_effects_on_a_logarithm_are_stated_as_factors(tmp_path):
    fitted(tmp_path / "gam", "log(validation_mse)")
    captions = draw_search(draw_effects, tmp_path, searched())
    assert "The error at the highest is 1.11 times the error at the lowest." in captions["gam_l1"]  # exp(0.1)


def test_a_surface_over_depth_has_one_stripe_per_depth():
    places, layers = np.linspace(1, 3, 5), np.ma.array(np.arange(5.0).reshape(1, 1, 5))
    drawn, repeated = _striped(places, layers, 2, pd.Series([1, 2, 3, 3]))
    assert repeated[0, 0].compressed().tolist() == [0, 0, 2, 2, 4, 4]
    assert drawn[[1, 2]].tolist() == pytest.approx([0.58, 1.42])


def test_axes_have_the_labels_of_mgcv():
    assert label(parse_term("te(log(rate),sum_neurons)"), 6.78) == "te(log(rate),sum_neurons, 6.8)"
    assert label(parse_term("log(epochs)"), 1) == "log(epochs), 1.0"

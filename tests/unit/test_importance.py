"""Importance of hyperparameters: ranking, noise level, and bootstrap intervals."""

import numpy as np
import pandas as pd
import pytest

from gamtune.analysis.gam_step import run_gam
from gamtune.analysis.importance import _samples, importance
from gamtune.gam.inference import infer
from gamtune.gam.model import fit_gam
from gamtune.results.csv_rows import Importance
from gamtune.search.ped_anova import PedAnova

pytestmark = pytest.mark.slow

FORMULA = "s(x, k=4) + s(z, k=4) + f(kind)"


def searched(n=80, seed=1, strength=1.0):
    """Return a table whose error depends strongly on x, weakly on z and not on w and kind."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({name: rng.uniform(size=n) for name in "xzw"}).assign(kind=rng.choice(["a", "b"], n))
    signal = strength * (np.sin(5 * table.x) + 0.6 * table.z)
    return table.assign(mse=2 + signal + rng.normal(0, 0.3, n))


@pytest.fixture(scope="module")
def fitted_search():
    table = searched()
    fitted = fit_gam(FORMULA, table)
    return fitted, importance(fitted, infer(fitted), table, "mse", ["x", "z", "w", "kind"], [])


def test_every_measure_ranks_the_relevant_hyperparameter_first_and_above_noise(fitted_search):
    _, table = fitted_search
    assert tuple(table) == Importance.columns()
    for measure, first in (("deviance_share", "s(x)"), ("permutation", "s(x)"), ("ped_anova", "x")):
        lines = table[table.measure == measure].set_index("name")
        assert lines["rank"].idxmin() == first, measure
        if measure != "ped_anova":  # PED-ANOVA uses only the best eight of 80 rows, so that the noise level is high
            assert lines.importance[first] > lines.null_high[first], measure
            assert lines["first"][first] > 0.9, measure
        assert lines["first"].idxmax() == first, measure
        assert (lines.rank_low <= lines["rank"]).all()
        assert lines["first"].sum() == pytest.approx(1)
    assert table[table.measure == "deviance_share"].set_index("name").importance["f(kind)"] < 0.03


def test_the_deviance_share_is_the_models_and_lies_in_its_interval(fitted_search):
    fitted, table = fitted_search
    lines = table[table.measure == "deviance_share"]
    assert lines.importance.tolist() == [term.deviance_share for term in fitted.terms]
    assert lines.low.iloc[0] < lines.importance.iloc[0] < lines.high.iloc[0]


def test_few_importances_of_noise_exceed_the_noise_level():
    above = []
    for seed in range(8):
        table = searched(seed=seed, strength=0)
        fitted = fit_gam(FORMULA, table)
        lines = importance(fitted, infer(fitted), table, "mse", ["x", "z", "w", "kind"], [])
        above += (lines.importance > lines.null_high).tolist()
    assert np.mean(above) < 0.16  # a share of 0.025 to 0.05 is expected


def test_without_a_model_only_ped_anova_is_computed():
    lines = importance(None, None, searched().assign(same=1), "mse", ["x", "w", "same"], [])
    assert lines.measure.unique().tolist() == ["ped_anova"]
    assert sorted(lines.name) == ["w", "x"]
    assert importance(None, None, searched(1), "mse", ["x"], []).empty


def test_a_conditional_hyperparameter_is_ranked():
    table = searched(120)
    table.loc[::2, "x"] = np.nan
    shares = PedAnova(table, ["x", "z", "kind"], [])(range(120), table.mse.tolist())
    assert set(shares) == {"x", "z", "kind"}
    assert sum(shares.values()) == pytest.approx(1)


def test_a_logarithmic_column_is_ranked_on_the_logarithmic_scale():
    rng = np.random.default_rng(2)
    table = pd.DataFrame({"rate": 10 ** rng.uniform(-6, 0, 100), "w": rng.uniform(size=100)})
    errors = (np.abs(np.log10(table.rate) + 5) + rng.normal(0, 0.1, 100)).tolist()
    shares = PedAnova(table, ["rate", "w"], ["rate"])(range(100), errors)
    assert shares["rate"] > 0.9


@pytest.mark.parametrize("formula", [FORMULA, None])
def test_the_ranking_is_written_with_and_without_a_model(tmp_path, formula):
    searched().to_csv(tmp_path / "results.csv", index=False)
    run_gam(tmp_path / "results.csv", formula, "mse", "REML", tmp_path / "gam", ["x", "w"], [])
    measures = pd.read_csv(tmp_path / "gam" / "importance.csv").measure.unique().tolist()
    assert measures == (["deviance_share", "permutation", "ped_anova"] if formula else ["ped_anova"])


@pytest.mark.parametrize("n", [1, 2, 3, 5, 30])
def test_every_bootstrap_sample_has_rows_left_for_testing(n):
    samples = _samples(n, 200, np.random.default_rng(1))
    assert all(len(sample) == n and len(np.setdiff1d(range(n), sample)) >= min(2, n - 1) for sample in samples)
    drawn = np.random.default_rng(1).integers(n, size=(200, n))
    assert sum((sample != one).any() for sample, one in zip(samples, drawn, strict=True)) <= (
        0 if n in (1, 30) else 190
    )

"""Units of the target or response change only the units of the results."""

import json
from functools import cache
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gamtune.analysis.comparable import CONFIGURATION
from gamtune.analysis.importance import importance
from gamtune.config.data_section import Data
from gamtune.config.settings import make_spec
from gamtune.data.arrays import Prepared
from gamtune.data.prepare import prepare
from gamtune.gam.inference import infer, null_band
from gamtune.gam.model import fit_gam
from gamtune.gam.tables import effects
from gamtune.learners.mlp.forward import outputs_of
from gamtune.learners.mlp.model_file import load_model
from gamtune.learners.trial import run_trial
from gamtune.selection.one_standard_error import Sized, smallest_within, standard_error
from gamtune.selection.paired_tests import bootstrap_interval, paired_t
from gamtune.serving.predict import predict_file

CASES = Path(__file__).parents[1] / "cases"
TRAINING = {"neurons": 16, "epochs": 30, "optimizer": "adam", "learning_rate": 0.01, "patience": 5}
FORMULA = "s(x, k=5) + z + f(kind)"
FACTORS = st.floats(-25, 25).map(lambda exponent: 10.0**exponent)
EXACT = {"rel": 1e-6, "abs": 1e-9}  # because of rounding, the optimiser stops at slightly different parameters


def trials(factor=1.0, shift=0.0):
    generator = np.random.default_rng(3)
    x, z = generator.uniform(0, 1, 45), generator.uniform(0, 1, 45)
    error = 3 + np.sin(5 * x) + 0.5 * z + generator.normal(0, 0.3, 45)
    return pd.DataFrame({"x": x, "z": z, "kind": ["a", "b", "c"] * 15, "mse": factor * error + shift})


@cache
def reference(method, response="mse"):
    return fit_gam(FORMULA, trials(), response, method)


@pytest.mark.parametrize("method", ["REML", "GCV"])
@settings(max_examples=8)
@given(factor=FACTORS)
def test_a_gam_is_the_same_in_every_unit_of_its_response(method, factor):
    unit, scaled = reference(method), fit_gam(FORMULA, trials(factor), "mse", method)
    assert scaled.edf_total == pytest.approx(unit.edf_total, **EXACT)
    assert scaled.deviance_explained == pytest.approx(unit.deviance_explained, **EXACT)
    assert scaled.scale == pytest.approx(unit.scale * factor**2, rel=1e-6)
    for here, there in zip(unit.terms, scaled.terms, strict=True):
        for name in ("edf", "ref_df", "f", "p", "deviance_share"):
            assert getattr(there, name) == pytest.approx(getattr(here, name), **EXACT), (here.term, name)
    for here, there in zip(unit.parametric, scaled.parametric, strict=True):
        assert there.estimate == pytest.approx(here.estimate * factor, rel=1e-6)
        assert there.t == pytest.approx(here.t, rel=1e-6)
    assert np.allclose(effects(scaled) / factor, effects(unit), rtol=1e-6, atol=1e-9)
    assert np.allclose(scaled.predict(trials()) / factor, unit.predict(trials()), rtol=1e-6)
    constant = np.log(factor) * (45 - unit.problem.unpenalised) if method == "REML" else None
    expected = unit.criterion + constant if method == "REML" else unit.criterion * factor**2
    assert scaled.criterion == pytest.approx(expected, rel=1e-6)


@settings(max_examples=8)
@given(factor=FACTORS)
def test_the_logarithm_of_a_response_has_effects_without_units(factor):
    unit, scaled = reference("REML", "log(mse)"), fit_gam(FORMULA, trials(factor), "log(mse)")
    assert scaled.edf_total == pytest.approx(unit.edf_total, rel=1e-6)
    columns = [name for name in effects(unit) if name != "fitted"]
    assert np.allclose(effects(scaled)[columns], effects(unit)[columns], rtol=1e-6, atol=1e-9)


def test_adding_a_constant_to_the_response_changes_only_the_intercept():
    unit, moved = reference("REML"), fit_gam(FORMULA, trials(shift=1.7e9), "mse")
    assert moved.edf_total == pytest.approx(unit.edf_total, rel=1e-5)
    assert [term.p for term in moved.terms] == pytest.approx([term.p for term in unit.terms], rel=1e-4)


@pytest.mark.parametrize("factor", [1e-25, 1e25])
def test_permutation_tests_bands_and_importance_are_the_same_in_every_unit(factor):
    results = []
    for unit in (1.0, factor):
        rows = trials(unit)
        fitted = fit_gam("s(x, k=4) + z", rows)
        inference = infer(fitted)
        ranked = importance(fitted, inference, rows, "mse", ["x", "z", "kind"], [])
        band = null_band(fitted, inference, "s(x)", rows) / unit
        p = [term.p for term in inference.terms]
        checks = [(check.concurvity_worst, check.k_index or 0.0, check.k_p or 0.0) for check in inference.checks]
        results.append((p, inference.model.p, band, np.array(checks), ranked))
    (p, model, band, checks, ranked), (other_p, other_model, other_band, other_checks, other_ranked) = results
    assert (other_p, other_model) == (p, model)
    assert np.allclose(other_band, band, rtol=1e-6)
    assert np.allclose(other_checks, checks, rtol=1e-6)
    pd.testing.assert_frame_equal(other_ranked, ranked, rtol=1e-5, atol=1e-9)


@settings(max_examples=15)
@given(factor=FACTORS.map(lambda factor: factor**2))
def test_the_selection_does_not_depend_on_the_unit_of_the_error(factor):
    first, second = [0.0512, 0.0731, 0.0624], [0.0313, 0.0525, 0.0541]
    unit, scaled = (paired_t([c * e for e in first], [c * e for e in second]) for c in (1.0, factor))
    assert scaled.p == pytest.approx(unit.p)
    ends = [[compared.difference, compared.low, compared.high] for compared in (unit, scaled)]
    assert np.array(ends[1]) / factor == pytest.approx(ends[0])
    interval = bootstrap_interval([factor * e for e in first])
    assert np.array(interval) / factor == pytest.approx(bootstrap_interval(first))
    summary = pd.DataFrame({CONFIGURATION: "a", "validation_mse": [factor * e for e in first]})
    error, _ = standard_error("a", summary, lambda: None)
    rows = [Sized("a", 0.06, 900), Sized("b", 0.065, 100), Sized("c", 0.07, 10)]
    assert smallest_within([Sized(r.name, factor * r.error, r.weights) for r in rows], error).name == "b"


@pytest.mark.parametrize("value", [0.0, 0.1, 1e-25, 1.7e9, -3e25])
def test_a_constant_response_is_refused_in_every_unit(value):
    rows = trials().assign(mse=value)
    with pytest.raises(ValueError, match="choose a response that varies"):
        fit_gam(FORMULA, rows)


def trained(folder, rows, **settings):
    """Return the record of a trial on a table with target y, and the data set."""
    folder.mkdir(exist_ok=True)
    rows.to_csv(folder / "rows.csv", index=False)
    prepare(Data(source="table", path=str(folder / "rows.csv"), target="y"), folder)
    data = Prepared.open(folder / "dataset.json")
    run_trial(make_spec(TRAINING | settings, 1), data, "code", 1, folder)
    return json.loads((folder / "record.json").read_text()), data


@pytest.mark.parametrize(
    "settings", [{"min_delta": 0.01}, {"network": "h2o", "optimizer": "adadelta", "learning_rate": 1.0}], ids=str
)
def test_training_does_not_depend_on_tiny_units_of_the_target(tmp_path, settings):
    tables = [pd.read_csv(CASES / "24-target-tiny" / name) for name in ("rows_unit.csv", "rows.csv")]
    unit, tiny = (trained(tmp_path / str(n), table, **settings)[0] for n, table in enumerate(tables))
    assert (tiny["best_epoch"], tiny["epochs_run"]) == (unit["best_epoch"], unit["epochs_run"])
    assert tiny["metrics"]["validation"]["r2"] == pytest.approx(unit["metrics"]["validation"]["r2"], rel=1e-6)
    for name, power in (("mse", 2), ("rmse", 1), ("mae", 1)):
        for part in ("train", "validation"):
            expected = unit["metrics"][part][name] * 1e-25**power
            assert tiny["metrics"][part][name] == pytest.approx(expected, rel=1e-6, abs=0)
    expected = np.array(unit["history"]["validation_mse"]) * 1e-50
    assert tiny["history"]["validation_mse"] == pytest.approx(expected, rel=1e-5, abs=0)


@pytest.mark.parametrize(("factor", "shift"), [(1e25, 0.0), (30.0, 1.7e9)])
def test_training_does_not_depend_on_the_scale_and_offset_of_the_target(tmp_path, factor, shift):
    table = pd.read_csv(CASES / "24-target-tiny" / "rows_unit.csv")
    unit, _ = trained(tmp_path / "unit", table)
    other, _ = trained(tmp_path / "other", table.assign(y=factor * table["y"] + shift))
    assert other["best_epoch"] == unit["best_epoch"]
    assert other["metrics"]["validation"]["r2"] == pytest.approx(unit["metrics"]["validation"]["r2"], rel=1e-4)
    scaled = unit["metrics"]["validation"]["mse"] * factor**2
    assert other["metrics"]["validation"]["mse"] == pytest.approx(scaled, rel=1e-4, abs=0)


@pytest.mark.parametrize("case", ["24-target-tiny", "46-exported-model-offset"])
def test_the_exported_model_reproduces_the_reported_scores(tmp_path, case):
    table = pd.read_csv(CASES / case / "rows.csv")
    record, data = trained(tmp_path, table)
    reported, part = record["metrics"]["validation"], data.part("validation")
    model = load_model(tmp_path / "model.keras")
    exported = outputs_of(model, part.x)[:, 0]
    mse = np.mean((exported - part.y) ** 2)
    assert exported.dtype == np.float64
    assert mse == pytest.approx(reported["mse"], rel=1e-12, abs=0)
    assert 1 - mse / np.var(part.y) == pytest.approx(reported["r2"], rel=1e-12)
    graph = model.predict(part.x, verbose=0)[:, 0]  # sums of float32 numbers are rounded differently
    assert np.abs(graph - exported).max() < 1e-5 * np.std(part.y)
    raw = table[table["y"].isin(part.y)]
    raw.to_csv(tmp_path / "raw.csv", index=False)
    text, _ = predict_file(tmp_path / "model.keras", tmp_path / "raw.csv")
    predicted = pd.read_csv(StringIO(text))["predicted"]
    assert np.mean((predicted - raw["y"].to_numpy()) ** 2) == pytest.approx(reported["mse"], rel=1e-9, abs=0)


def test_the_log_of_a_target_in_thousandths_has_no_zeros(tmp_path, capsys):
    record, _ = trained(tmp_path, pd.read_csv(CASES / "27-outcome-zeros" / "rows.csv"), neurons=8, epochs=3)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]
    assert 0 < record["metrics"]["validation"]["mse"] < 1e-5
    assert "0.0000" not in "".join(lines)

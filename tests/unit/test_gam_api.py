"""The public class of the GAM engine, as used in a notebook."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from test_gam import simulated

from gamtune.gam import GAM, DataError, FormulaError, GamError, TooFewRows
from gamtune.gam.model import fit_gam


@pytest.fixture(scope="module")
def model():
    return GAM("log(mse) ~ s(x) + te(z, x2, k=3) + f(kind)").fit(table())


def table():
    return simulated(80).assign(x2=lambda rows: rows.x**2 + np.arange(80) % 7)


def test_the_model_equals_that_of_the_gam_step(model):
    same = fit_gam("s(x) + te(z, x2, k=3) + f(kind)", table(), "log(mse)")
    assert np.array_equal(model.predict(table()), same.predict(table()))
    assert model.fitted.edf_total == same.edf_total
    assert repr(model) == "GAM('log(mse) ~ s(x) + te(z, x2, k=3) + f(kind)', method='REML')"


def test_a_table_is_a_data_frame_or_a_mapping_of_columns(model):
    columns = {name: values.tolist() for name, values in table().items()}
    other = GAM("log(mse) ~ s(x) + te(z, x2, k=3) + f(kind)").fit(columns)
    assert np.array_equal(other.predict(columns), model.predict(table()))


def test_effects_are_returned_over_the_observed_range(model):
    curve = model.effect("s(x)")
    assert list(curve) == ["x", "effect", "se", "null"]
    assert (curve.x.iloc[0], curve.x.iloc[-1]) == (table().x.min(), table().x.max())
    assert (curve.effect.abs() > curve.null).any()  # the response depends on x
    assert model.effect("f(kind)").kind.tolist() == ["gelu", "relu", "tanh"]
    assert len(model.effect("te(z,x2)")) == 2500


def test_an_effect_is_returned_at_given_points(model):
    points = pd.DataFrame({"x": [0.1, 0.9], "other": ["a", "b"]}, index=[5, 7])
    effect = model.effect("s(x)", points)
    assert effect.effect.tolist() == model.fitted.effect("s(x)", points)[0].tolist()
    with pytest.raises(ValueError, match=r"no term 's\(z\)'; the model has s\(x\), te\(z,x2\), f\(kind\)"):
        model.effect("s(z)")


def test_the_tests_and_the_summary_name_every_term(model):
    tests = model.test()
    assert tests.term.tolist() == ["s(x)", "te(z,x2)", "f(kind)"]
    assert tests.p_adjusted.iloc[0] < 0.01
    summary = model.summary()
    assert "log(mse) ~ s(x) + te(z, x2, k=3) + f(kind)" in summary
    assert all(term in summary for term in tests.term)


def test_pygam_takes_the_features_of_a_table(model):
    assert model.pygam.predict(model.features(table())) == pytest.approx(model.predict(table()), abs=1e-6)


def test_a_second_fit_replaces_the_first():
    model = GAM("mse ~ s(x, k=4)", method="GCV").fit(table())
    first = model.test()
    assert not model.fit(table().head(40)).test().equals(first)
    assert model.fitted.n == 40


def test_an_unfitted_model_raises_an_error():
    with pytest.raises(RuntimeError, match=r"not fitted; call fit\(table\) first"):
        GAM("y ~ x").predict({"x": [1]})


@pytest.mark.parametrize(
    ("formula", "error", "message"),
    [
        ("mse ~ s(x, k=2)", FormulaError, "k must be a whole number"),
        ("mse ~ s(width)", FormulaError, r"s\(width\): no column 'width' in the table"),
        ("loss ~ s(x)", FormulaError, "response loss: no column 'loss'"),
        ("mse ~ s(kind)", DataError, r"s\(kind\): row 1, column 'kind'"),
        ("mse ~ s(x, k=60) + s(z, k=60)", TooFewRows, "80 rows are too few for 119 coefficients"),
    ],
)
def test_errors_are_exceptions_of_the_engine(formula, error, message):
    with pytest.raises(error, match=message) as caught:
        GAM(formula).fit(table())
    assert isinstance(caught.value, GamError)


def test_the_formula_and_the_plan_load_neither_pandas_nor_pygam():
    code = (
        "import sys, gamtune.gam, gamtune.gam.formula, gamtune.plan;"
        "sys.exit(', '.join({'pandas', 'pygam', 'scipy.linalg'} & set(sys.modules)) or 0)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")

"""Printed numbers have a suitable number of significant digits."""

import csv
import json
import math
import re
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamtune.figures.theme import PlainNumbers
from gamtune.numbers import compact, labels, measured, percent, rmse_note, signed, significant, with_spread
from gamtune.results.data_warnings import DataWarnings
from gamtune.selection.show import show

NUMBERS = st.floats(-1e300, 1e300).filter(lambda value: value == 0 or abs(value) > 1e-290)


@given(value=NUMBERS, digits=st.integers(2, 12), zeros=st.booleans())
def test_numbers_are_rounded_to_significant_digits(value, digits, zeros):
    text = significant(value, digits, zeros=zeros)
    assert float(text) == pytest.approx(value, rel=0.5 * 10.0 ** (1 - digits) * (1 + 1e-9), abs=0)
    assert len(text) <= 8 + max(digits, 7)


@given(value=NUMBERS.filter(bool))
def test_only_zero_is_printed_as_zero(value):
    for text in (significant(value), measured(value), signed(value), compact(value), percent(value)):
        assert re.search("[1-9]", text.partition("e")[0]), text


@given(value=st.floats(-1e30, 1e30), spread=st.floats(0, 1e30))
def test_a_standard_deviation_is_rounded_to_the_decimals_of_its_value(value, spread):
    text = with_spread(value, spread)
    both = re.fullmatch(r"\(?(\S+) ± ([^\s)]+)\)?(e.\d+)?", text)
    shown = [float(f"{number}{both[3] or ''}") for number in both.groups()[:2]]
    assert shown == pytest.approx([value, spread], rel=0.051, abs=1e-12 * max(abs(value), spread))


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (math.nan, "–"), (math.inf, "inf"), (-math.inf, "-inf"), (7, "7"), (-0.0, "0"),
                        (10**20, "100000000000000000000"), (0.99999, "1.000"), (9999999.9, "1.000e+07")],
)  # fmt: skip
def test_missing_infinite_and_integer_numbers_have_a_text(value, text):
    assert significant(value) == text


@given(values=st.lists(st.floats(-1e12, 1e12), min_size=2, max_size=8))
def test_ticks_of_different_values_have_different_labels(values):
    assert len(set(labels(values))) == len(set(values))


def test_ticks_of_an_axis_far_from_zero_have_different_labels():
    assert PlainNumbers().format_ticks([1.7e9, 1.7e9 + 20]) == ["1.7e+09", "1.70000002e+09"]
    assert PlainNumbers()(0.05) == "0.05"


def test_an_rmse_has_the_units_of_the_target():
    assert rmse_note(7.9e-52, regression=True) == " (RMSE 2.81e-26)"
    assert rmse_note(None, regression=True) == ""


def finished_study(folder, metrics):
    """Write the files that `gamtune show` reads, for one trial with the given metrics."""
    for name in ("selection", "optimum", "data"):
        (folder / "small" / name).mkdir(parents=True)
    candidate = {
        "candidate": "observed_1", "rule": "best_observed", "source": "configuration random_1", "observed": metrics["mse"],
        "predicted": None, "replicates": [metrics["mse"]] * 2, "mean": metrics["mse"], "mean_low": None,
        "mean_high": None, "sd": metrics["mse"] / 10, "n": 2, "epochs": 3, "weights": 90, "difference": None,
        "low": None, "high": None, "skipped": None,
    }  # fmt: skip
    selection = {
        "optimum": "observed_1", "choose": "lowest_mean", "selected_on": "validation", "why": "", "weight_seeds": [1, 2],
        "spec": {"neurons": [8], "l1": 0.00002345}, "candidates": [candidate], "optimism": None,
    }  # fmt: skip
    (folder / "small" / "selection" / "selection.json").write_text(json.dumps(selection))
    DataWarnings(warnings=[]).write(folder / "small" / "data" / "warnings.json")
    rows = {
        "summary.csv": {"name": "random_1", "status": "ok", "validation_mse": metrics["mse"]},
        "optimum/comparison.csv": {"what": "optimum", "part": "test", "n": 1, **metrics},
    }
    for name, row in rows.items():
        with (folder / "small" / name).open("w", newline="") as file:
            csv.writer(file).writerows([row, row.values()])
    return show(SimpleNamespace(study="small"), folder, "config.yaml")


def test_show_prints_errors_in_small_units_without_zeros(tmp_path):
    text = finished_study(tmp_path, {"mse": 2.3456e-6, "rmse": 1.53154e-3, "mae": 1e-3, "r2": 0.00004})
    assert "validation MSE 2.35e-06 (RMSE 0.00153)\n" in text
    assert "validation MSE (2.35 ± 0.23)e-06 (RMSE 0.00153) over 2 fresh seeds" in text
    assert "MSE 2.35e-06, RMSE 0.00153, R2 4.00e-05 (scored once, after the selection)" in text
    assert "l1 2.345e-05" in text
    assert "0.0000" not in text


def test_show_prints_classification_errors_with_the_usual_digits(tmp_path):
    text = finished_study(tmp_path, {"mse": 0.0159, "rmse": 0.126, "r2": 0.9, "logloss": 0.1, "accuracy": 0.9805})
    assert "validation MSE 0.0159 ± 0.0016 over 2 fresh seeds" in text
    assert "MSE 0.0159, accuracy 0.9805 (scored once, after the selection)" in text

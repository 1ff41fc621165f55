"""Figures of the optimum on the test set."""

import html
import warnings

import numpy as np
import pandas as pd
import pytest
from figure_data import text_of
from made import dataset

from gamtune.analysis.comparable import ON_TEST_ROWS
from gamtune.figures.optimum_figures import write_optimum_figures
from gamtune.results.artefacts import write_artefact
from gamtune.results.captions import Captions


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def predicted(folder, probabilities, actual):
    rows = pd.DataFrame(probabilities, columns=["p_cat", "p_dog"])
    labels = rows.idxmax(axis=1).str.removeprefix("p_")
    rows.insert(0, "predicted", labels)
    rows.insert(0, "actual", actual)
    return drawn_optimum(folder, rows)


def drawn_optimum(folder, rows, selected_on="validation"):
    for name in ("optimum", "data"):
        (folder / name).mkdir()
    write_artefact(rows, folder / "optimum" / "predictions.csv")
    dataset(selected_on=selected_on).write(folder / "data" / "dataset.json")
    write_optimum_figures(folder, folder / "figures")
    return Captions.read(folder / "figures" / "captions.json").captions


NAMES = [
    "$", "$$", "$$$", "$x^2$", "_under", "^", "\\alpha", "100 %", "{x}", "a & <b>", "it's \"it\"", "-1", "=1+1", "None",
    "\u540d\u524d", "\u043a\u043b\u0430\u0441\u0441", "x" * 300 + "1", "x" * 300 + "2",
]  # fmt: skip


def test_the_calibration_caption_states_the_overconfidence(tmp_path):
    captions = predicted(tmp_path, [[0.9, 0.1]] * 10, ["cat"] * 6 + ["dog"] * 4)
    assert "predicted class is 90.0 %, and 60.0 % of the predictions are correct" in captions["calibration"]
    assert "the network is overconfident by 30.0 percentage points" in captions["calibration"]
    assert "expected calibration error is 0.300" in captions["calibration"]
    assert "10 test samples: 4 wrong (orange), 40.0 %" in captions["confusion_matrix"]
    assert {path.stem for path in (tmp_path / "figures").glob("*.png")} == set(captions)


def test_the_figure_of_a_regression_shows_predicted_against_actual_values(tmp_path):
    actual = np.linspace(0, 10, 50)
    (caption,) = drawn_optimum(tmp_path, pd.DataFrame({"actual": actual, "predicted": actual / 2}), "test").values()
    assert caption.endswith(ON_TEST_ROWS)
    assert ON_TEST_ROWS in (tmp_path / "figures" / "predicted_against_actual.svg").read_text()
    assert "predicted values is 2.00" in caption
    assert f"off by at most {np.quantile(actual / 2, 0.9):.3g}" in caption


def test_any_class_name_can_appear_in_figures(tmp_path):
    rng = np.random.default_rng(1)
    probabilities = rng.dirichlet(np.ones(len(NAMES)), 60)
    rows = pd.DataFrame(probabilities, columns=[f"p_{name}" for name in NAMES])
    rows.insert(0, "predicted", [NAMES[place] for place in probabilities.argmax(axis=1)])
    rows.insert(0, "actual", rng.choice(NAMES, 60))
    captions = drawn_optimum(tmp_path, rows)
    wrong = int((rows["actual"] != rows["predicted"]).sum())
    assert f"60 test samples: {wrong} wrong" in captions["confusion_matrix"]
    drawn = text_of(tmp_path / "figures" / "confusion_matrix")
    for name in NAMES[:-2]:
        assert drawn.count(html.escape(name, quote=False)) == 2, name  # once per axis
    assert "x" * 14 + "…" + "x" * 12 + "1" in drawn
    assert {path.stem for path in (tmp_path / "figures").glob("*.png")} == set(captions)


def test_a_class_named_none_is_counted(tmp_path):
    rows = pd.DataFrame({"actual": ["None", "Mild", "None", "NA"], "predicted": ["None", "Mild", "Mild", "NA"]})
    probabilities = {f"p_{name}": (rows["predicted"] == name) * 0.8 + 0.1 for name in ("Mild", "NA", "None")}
    captions = drawn_optimum(tmp_path, rows.assign(**probabilities))
    assert captions["confusion_matrix"].startswith("Confusion matrix of 4 test samples: 1 wrong")

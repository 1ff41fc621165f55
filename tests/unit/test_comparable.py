import pandas as pd
import pytest

from gamtune.analysis.comparable import averaged, last_rung, modelled_rows
from gamtune.analysis.gam_step import run_gam
from gamtune.gam.formula import parse_formula
from gamtune.report.space_words import describe_search

FORMULA = "s(l1, k=3)"  # three coefficients with the intercept, so nine rows are enough


def rungs(*sizes):
    """Return finished trials of a halving search with the given numbers per rung; errors decrease from rung to rung."""
    rows = [
        {
            "trial": f"{rung}{i:011x}", "name": f"row_{i}", "replicate": 1, "rung": rung, "epochs": 3**rung, "l1": i / 10,
            "status": "ok", "reason": "", "seconds": 1.5, "epochs_run": 3**rung, "validation_mse": (20 - i) / 10**rung,
        }
        for rung, size in enumerate(sizes)
        for i in range(size)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_configurations_are_grouped_by_settings_not_by_name():
    summary = pd.DataFrame(
        {
            "configuration": ["c1", "c2", "c1", "c2", "c3"],
            "name": ["w", "w", "other name", "w", "v"],
            "status": ["ok", "ok", "ok", "failed", "ok"],
            "validation_mse": [1.0, 2.0, 3.0, 4.0, 5.0],
        }
    )
    rows = averaged(summary)
    assert rows["configuration"].tolist() == ["c1", "c2", "c3"]
    assert rows["validation_mse"].tolist() == [2, 3, 5]
    assert rows["status"].tolist() == ["ok", "failed", "ok"]
    assert rows["trials"].tolist() == [2, 2, 1]
    assert averaged(summary.drop(columns="configuration")).shape == (5, 3)


def test_without_rungs_all_trials_are_comparable():
    rows = rungs(12, 4).drop(columns="rung")
    assert last_rung(rows).equals(rows)
    assert modelled_rows(rows, parse_formula(FORMULA)).equals(rows)


def test_the_selection_uses_the_last_rung():
    assert last_rung(rungs(12, 4, 1))["rung"].tolist() == [2]


@pytest.mark.parametrize(("sizes", "rung"), [((27, 9, 3), 1), ((27, 8, 3), 0), ((8, 3, 1), 0), ((81, 27, 9), 2)])
def test_the_gam_uses_the_last_rung_with_enough_configurations_or_the_first(sizes, rung):
    rows = modelled_rows(rungs(*sizes), parse_formula(FORMULA))
    assert set(rows["rung"]) == {rung}
    assert len(rows) == sizes[rung]


def test_coefficients_of_factors_are_counted():
    rows = rungs(27, 9, 3).assign(kind=["a", "b", "c"] * 13)
    assert set(modelled_rows(rows, parse_formula("f(kind)"))["rung"]) == {
        1
    }  # two levels beside the first, and the intercept


def test_a_warning_states_which_epochs_the_model_compares(tmp_path):
    rungs(27, 9, 3).to_csv(tmp_path / "summary.csv", index=False)
    run_gam(tmp_path / "summary.csv", FORMULA, "validation_mse", "REML", tmp_path / "gam")
    assert pd.read_csv(tmp_path / "gam" / "model.csv")["n"].tolist() == [9]
    assert (
        "only the configurations after 3 epochs (one rung) are compared"
        in (tmp_path / "gam" / "warnings.txt").read_text()
    )


@pytest.mark.parametrize(
    ("search", "words"),
    [
        ({"strategy": "grid"}, "every combination of the listed values"),
        ({"strategy": "random", "seeds": [403, 10]}, "one configuration for each of 2 seeds"),
        ({"strategy": "sobol", "draws": 8, "seed": 3}, "8 configurations from a scrambled Sobol sequence (seed 3)"),
        (
            {"strategy": "halving", "draws": 81, "seed": 1, "rungs": 4},
            "81 configurations drawn at random (seed 1), then successive halving (eta 3, 4 rungs)",
        ),
        ({"strategy": "manual", "rows": [{}], "keep": ["x"]}, "configurations listed in the config"),
        (
            {"strategy": "random", "draws": 4, "seed": 1, "rows": [{}], "keep": ["x"]},
            "4 configurations drawn at random (seed 1), the configurations in search.rows and the configurations of other "
            "studies",
        ),
    ],
)
def test_the_search_is_described_in_words(search, words):
    assert describe_search(search) == words

"""`gamtune gam` on tables of users and of gamtune, and the GAM step of the workflow."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gamtune.analysis.comparable import comparable_rows, is_summary
from gamtune.analysis.gam_step import run_gam
from gamtune.cli.main import main

CASES = Path(__file__).parents[1] / "cases"
SUMMARY = CASES / "52-log-terms" / "results.csv"  # written from the summary of a study


def gam(results, formula, folder, *more):
    return main(["gam", str(results), "--formula", formula, "--out", str(folder), *more])


def model(folder):
    return pd.read_csv(folder / "model.csv").iloc[0]


def refused(capsys, results, formula, folder, *more):
    """Return the error message of a call, which must be one line and write no file."""
    assert gam(results, formula, folder, *more) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert not folder.exists()
    return error.removeprefix(f"{results}: ").strip()


def test_a_comment_in_a_formula_is_refused(tmp_path, capsys):
    case = CASES / "01-formula-comment"
    line = refused(capsys, case / "results.csv", (case / "formula.txt").read_text(), tmp_path / "gam")
    assert line == "'# effect of x': a formula cannot contain a comment; remove the text from '#'"


def test_a_column_status_of_the_user_does_not_drop_rows(tmp_path):
    case = CASES / "30-foreign-status" / "results.csv"
    assert gam(case, "s(x, k=5)", tmp_path / "gam") == 0
    assert model(tmp_path / "gam").n == len(pd.read_csv(case))


@pytest.mark.parametrize(
    "own",
    [
        {"status": "failed"},
        {"name": "same", "status": "ok"},
        {"rung": range(40), "epochs": 1},
        {"trial": "a", "name": "a", "status": "FINISHED", "rung": range(40), "selected_on": "test", "trials": 3},
        {"trial": "a", "name": "a", "replicate": 1, "status": "FINISHED", "reason": "", "seconds": 1, "epochs_run": 1},
        {"trial": "a", "name": "a", "replicate": 1, "status": "ok", "seconds": 1},
    ],
)
def test_only_summaries_of_gamtune_are_treated_as_summaries(own):
    x = np.linspace(0, 1, 40)
    table = pd.DataFrame(own, index=range(40)).join(pd.DataFrame({"x": x, "mse": np.sin(5 * x)}))
    assert not is_summary(table)
    assert comparable_rows(table).equals(table)


def test_columns_rung_and_selected_on_of_the_user_have_no_special_meaning(tmp_path):
    x = np.linspace(0, 1, 40)
    own = pd.DataFrame({"x": x, "mse": np.sin(5 * x), "rung": range(40), "epochs": 1, "selected_on": "test"})
    own.to_csv(tmp_path / "own.csv", index=False)
    assert gam(tmp_path / "own.csv", "s(x, k=5)", tmp_path / "gam") == 0
    assert model(tmp_path / "gam").n == 40
    assert not (tmp_path / "gam" / "warnings.txt").exists()


def test_failed_trials_are_dropped_and_replicates_are_averaged(tmp_path):
    rows = pd.read_csv(SUMMARY)
    rows.insert(3, "configuration", rows["trial"])
    assert is_summary(rows)
    failed = rows.iloc[[0]].assign(name="random_017", configuration="f" * 12, status="failed", learning_rate=5.0)
    again = rows.assign(replicate=2, mse=rows.mse + 1)
    pd.concat([rows, failed, again]).to_csv(tmp_path / "summary.csv", index=False)
    assert gam(tmp_path / "summary.csv", "s(log(learning_rate), k=3)", tmp_path / "gam") == 0
    assert model(tmp_path / "gam").n == 16


def test_terms_that_are_not_identifiable_are_both_named(tmp_path, capsys):
    line = refused(
        capsys, CASES / "40-indistinguishable-terms-names" / "results.csv", "s(x, k=5) + s(z, k=5)", tmp_path / "gam"
    )
    assert line == "s(x) and s(z) are not distinguishable on these rows; remove one or add rows"


def test_a_cell_that_is_not_a_number_is_reported(tmp_path, capsys):
    line = refused(capsys, CASES / "44-gam-ends-with-0" / "results.csv", "s(x, k=5)", tmp_path / "gam")
    assert line == "s(x, k=5): row 3, column 'x': '?' is not a number; correct it, or write f(x) for levels"


def test_a_cell_without_a_logarithm_is_reported(tmp_path, capsys):
    rows = pd.read_csv(CASES / "40-indistinguishable-terms-names" / "results.csv")
    rows.loc[6, "x"] = 0
    rows.to_csv(tmp_path / "rows.csv", index=False)
    line = refused(capsys, tmp_path / "rows.csv", "s(log(x), k=4)", tmp_path / "gam")
    assert line == "log(x): row 7, column 'x': 0 has no logarithm, which needs values above 0"


def test_more_coefficients_than_rows_are_refused_as_in_mgcv(tmp_path, capsys):
    line = refused(capsys, SUMMARY, "s(log(learning_rate)) + s(log(l2))", tmp_path / "gam")
    assert line.startswith("16 rows are too few for 19 coefficients; add rows or lower k, which is 10 in s()")


def test_columns_with_symbols_are_named_in_backquotes(tmp_path, capsys):
    x = np.linspace(0.1, 1, 40)
    rows = pd.DataFrame({"my col": x, "lr (log)": x**2, "a.b": x[::-1] ** 3, "mse [1]": 3 + np.sin(5 * x)})
    rows.to_csv(tmp_path / "rows.csv", index=False)
    formula = "s(`my col`, k=5) + log(`lr (log)`) + a.b"
    assert gam(tmp_path / "rows.csv", formula, tmp_path / "gam", "--response", "log(`mse [1]`)") == 0
    assert pd.read_csv(tmp_path / "gam" / "terms.csv").term.tolist() == ["s(`my col`)", "log(`lr (log)`)", "a.b"]
    capsys.readouterr()
    line = refused(capsys, tmp_path / "rows.csv", "s(my col)", tmp_path / "none", "--response", "a.b")
    assert "a name with spaces or symbols is written in backquotes, such as `my column`" in line
    line = refused(capsys, tmp_path / "rows.csv", "s(x)", tmp_path / "none", "--response", "a.b")
    assert line == "s(x): no column 'x' in the table; it has a.b, `lr (log)`, `mse [1]`, `my col`"


def test_the_workflow_reports_why_there_is_no_model(tmp_path):
    case = CASES / "44-gam-ends-with-0" / "results.csv"
    assert gam(case, "s(x, k=5)", tmp_path / "gam", "--skip-unfittable") == 0
    assert "row 3, column 'x': '?' is not a number" in (tmp_path / "gam" / "skipped.txt").read_text()


def test_a_refused_formula_leaves_an_earlier_model_as_it_was(tmp_path):
    case = CASES / "30-foreign-status" / "results.csv"
    run_gam(case, "s(x, k=5)", "mse", "REML", tmp_path / "gam")
    before = {path.name: path.read_bytes() for path in (tmp_path / "gam").iterdir()}
    assert gam(case, "s(status)", tmp_path / "gam") == 2
    assert {path.name: path.read_bytes() for path in (tmp_path / "gam").iterdir()} == before

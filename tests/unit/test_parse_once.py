"""Each use of a formula reads it once and passes the parsed object on."""

from collections import Counter

import pytest
from configs import CONFIG, changed
from figure_data import draw_search, fitted, searched
from test_comparable import rungs
from test_selection import candidates_of

from gamtune.analysis.gam_step import run_gam
from gamtune.figures.effects import draw_effects
from gamtune.gam import formula as formula_module
from gamtune.plan import Plan

FORMULA = "s(l1, k=3)"


@pytest.fixture
def parsed(monkeypatch):
    """Count how often each text is parsed."""
    texts, tokens = Counter(), formula_module._tokens
    monkeypatch.setattr(formula_module, "_tokens", lambda text, usage: texts.update([text]) or tokens(text, usage))
    return texts


def test_the_gam_step_parses_the_formula_and_the_response_once(tmp_path, parsed):
    rungs(27, 9, 3).to_csv(tmp_path / "summary.csv", index=False)
    run_gam(tmp_path / "summary.csv", FORMULA, "validation_mse", "REML", tmp_path / "gam", ["l1"])
    assert parsed == {FORMULA: 1, "validation_mse": 1}


def test_a_plan_parses_its_formula_once(parsed):
    plan = Plan(changed(CONFIG, {"analysis.gam": FORMULA}), "c")
    assert (plan.hints, plan.log_columns, plan.figure_columns) is not None
    assert parsed == {FORMULA: 1}


def test_candidates_parse_the_formula_and_the_response_once(make_study, tmp_path, parsed):
    rules = {"rules": ["gam_optimum", "one_standard_error"]}
    study = make_study(search__draws=20, selection=rules, analysis__gam=FORMULA)
    candidates_of(study, [0.1 + 0.01 * number for number in range(20)], tmp_path)
    assert parsed == {FORMULA: 1, "validation_mse": 1}


def test_figures_parse_each_label_once(tmp_path, parsed):
    fitted(tmp_path / "gam")
    assert draw_search(draw_effects, tmp_path, searched())
    assert set(parsed.values()) == {1}

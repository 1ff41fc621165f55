import json
from pathlib import Path

import pytest
import yaml
from configs import CONFIG, changed

from gamtune.cli.main import main
from gamtune.config.load import parse_study, read_raw, read_study
from gamtune.config.study import Study
from gamtune.errors import InputError
from gamtune.plan import Plan
from gamtune.search.table import build_table, table_csv

ROOT = Path(__file__).parents[2]


def test_the_default_study_has_3_trials_per_coefficient():
    plan = Plan(yaml.safe_load((ROOT / "config/config.yaml").read_text()), "config.yaml")
    from gamtune.gam.formula import parse_formula

    assert len(plan.trials) == 60
    assert 3 * parse_formula(plan.config.analysis.gam).n_coefficients() <= 60


def test_the_number_of_coefficients_is_compared_with_the_number_of_configurations():
    rounds = {"search.strategy": "tpe", "search.rounds": 2, "search.per_round": 5, "analysis.gam": "te(l1, rho, k=4)"}
    assert Plan(changed(CONFIG, rounds), "c").hints == [
        "analysis.gam: the formula has 16 coefficients for 20 configurations, fewer than 3 configurations per "
        "coefficient, and failed trials leave fewer; lower k or add draws"
    ]
    replicates = {"search.replicates": 3, "analysis.gam": "te(l1, rho, k=4)"}  # 30 trials, but 10 configurations
    with pytest.raises(InputError, match="16 coefficients, more than the 10 configurations"):
        Plan(changed(CONFIG, replicates), "c")
    some = {
        "search.draws": 40,
        "space.optimizer": ["adadelta", "sgd"],
        "space.rho": {"uniform": [0.9, 0.99], "when": {"optimizer": "adadelta"}},
        "analysis.gam": "te(l1, rho, k=6)",  # rho is missing in half of the configurations
    }
    with pytest.raises(InputError, match=r"36 coefficients, more than the (1\d|2\d) configurations"):
        Plan(changed(CONFIG, some), "c")


def test_a_log_uniform_hyperparameter_on_its_natural_scale_gives_a_hint(tmp_path, capsys):
    changes = {
        "search.draws": 60, "space.epsilon": {"log_uniform": [1e-8, 1e-4]}, "space.l2": {"log_uniform": [1e-6, 1e-2]},
        "analysis.gam": "s(epsilon, k=3) + s(log(l2), k=3) + s(rho, k=3)",
    }  # fmt: skip
    plan = Plan(changed(CONFIG, changes), "c")
    assert plan.log_columns == ["epsilon", "l2"]
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(changed(CONFIG, changes)))
    assert main(["check", str(tmp_path / "c.yaml")]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "hint: analysis.gam: s(epsilon, k=3): epsilon has a log-uniform prior but is modelled on its natural scale; "
        "s(log(epsilon), k=3) models its logarithm"
    ]
    assert Plan(changed(CONFIG, changes | {"analysis.gam": "s(log(epsilon), k=3)"}), "c").hints == []


def test_the_shipped_studies_model_log_uniform_hyperparameters_on_their_logarithm():
    for path in sorted((ROOT / "config").glob("**/*.yaml")):
        raw = read_raw(str(path))
        natural = [hint for hint in Plan(raw, path.name).hints if "natural scale" in hint]
        assert natural == [], path.name


def test_a_formula_with_a_logarithm_puts_its_column_on_a_logarithmic_axis():
    plan = Plan(changed(CONFIG, {"analysis.gam": "s(log(l1), k=3) + s(rho, k=3)"}), "c")
    assert plan.log_columns == ["l1"]


def test_the_config_of_a_step_holds_only_its_sections():
    plan, other = (Plan(changed(CONFIG, changes), "c") for changes in ({}, {"analysis.gam": "s(l1, k=3)"}))
    assert plan.sections("data", "search") == other.sections("data", "search")
    assert plan.sections("analysis") != other.sections("analysis")
    assert list(json.loads(plan.sections("search", "data"))) == ["data", "search"]


def test_the_config_of_the_data_step_depends_on_the_samples_of_the_selection_but_not_on_its_rules():
    plan, other, on_test = (
        Plan(changed(CONFIG, {f"selection.{key}": value for key, value in changes.items()}), "c")
        for changes in ({}, {"rules": ["default"], "final.replicates": 1}, {"on": "test"})
    )
    assert json.loads(plan.sections("data", "selection.on"))["selection"] == {"on": "validation"}
    assert plan.step_config("data", "selection.on") == other.step_config("data", "selection.on")
    assert plan.step_config("data", "selection.on") != on_test.step_config("data", "selection.on")
    assert [row.spec for row in plan.rows] == [row.spec for row in on_test.rows]


def test_a_study_can_be_read_back_from_its_step_config():
    changes = {"space.epsilon": {"log_uniform": [1e-8, 1e-4]}, "training.early_stopping": None}
    raw = changed(CONFIG, changes)
    raw["training"] = {"early_stopping": None}
    plan = Plan(raw, "c")
    again = Study.model_validate(json.loads(plan.sections(*Study.model_fields)))
    assert again == plan.config
    assert table_csv(again) == table_csv(plan.config)


def test_a_run_writes_each_step_config_once_and_a_dry_run_writes_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    raw = changed(CONFIG, {"search": {"strategy": "tpe", "draws": 4, "rounds": 2}, "study": "s"})
    plan = Plan(raw, "c")
    path = plan.step_config("study", "data", "search", "space", "training")
    rounds = {plan.proposing(stage) for stage in plan.stages}
    assert not Path("results").exists()
    plan.write_step_configs()
    assert {str(file) for file in Path("results/s/config").glob("*.json")} == {path, *rounds}
    assert table_csv(read_study(path)) == table_csv(plan.config)
    Path(path).write_text("{")  # damage the file
    plan.write_step_configs()
    assert table_csv(read_study(path)) == table_csv(plan.config)
    more = Plan(changed(raw, {"search.rounds": 3, "analysis.gam": "s(l1, k=3)"}), "c")
    assert {more.proposing(stage) for stage in more.stages[:2]} == rounds
    assert more.step_config("study", "data", "search", "space", "training") != path


def test_a_config_of_any_length_and_any_characters_is_passed_to_the_steps(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    columns = [f"column {number} {{d}} 'ü' 😀 \x85 \u2028" for number in range(8000)]
    Path("rows.csv").write_text("y," + ",".join(f'"{name}"' for name in columns[:1]) + "\n1,2\n", encoding="utf-8")
    data = {"source": "table", "path": "rows.csv", "target": "y", "drop": columns}
    plan = Plan.__new__(Plan)
    plan.config, plan._step_configs = parse_study(changed(CONFIG, {"data": data}), "c"), {}
    path = plan.step_config("study", "data", "search", "space")
    plan.write_step_configs()
    assert read_study(path).data.drop == columns
    assert len(path) < 50


def test_a_file_whose_path_contains_braces_is_tracked_by_its_content(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("{d}.csv", "<d>.csv", "d e.csv"):
        Path(name).write_text("a,b,y\n" + "".join(f"{number},1.5,{number % 2}\n" for number in range(20)))
        raw = changed(CONFIG, {"data": {"source": "table", "path": name, "target": "y"}})
        plan = Plan(raw, "c")
        listed = plan.data_files
        content = plan.data_content
        assert listed == ([name] if name == "d e.csv" else [])
        assert bool(content) == (not listed)
        with Path(name).open("a") as file:
            file.write("1,1.5,1\n")
        assert (Plan(raw, "c").data_content != content) == (not listed)


def test_a_step_config_keeps_the_order_of_the_space():
    raw = {**CONFIG, "search": {"strategy": "grid"}, "space": {"l1": [0, 1], "depth": [1, 2], "epochs": [1, 2]}}
    plan = Plan(raw, "c")
    again = Study.model_validate(json.loads(plan.sections("study", "data", "search", "space", "training")))
    assert [row.spec.l1 for row in build_table(again)][:4] == [0, 1, 0, 1]
    assert build_table(again) == plan.rows


def test_the_table_fingerprint_depends_on_every_row(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("rows.csv").write_text("l1\n0.1\n")
    raw = {**CONFIG, "search": {"strategy": "manual", "rows": "rows.csv"}, "space": {}}
    before = Plan(raw, "c")
    assert Plan(raw, "c").table_fingerprint == before.table_fingerprint
    Path("rows.csv").write_text("l1\n0.1\n0.2\n")
    assert Plan(raw, "c").table_fingerprint != before.table_fingerprint
    assert Plan(raw, "c").sections("search") == before.sections("search")

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from configs import CONFIG, changed

from gamtune.cli.main import main
from gamtune.config.load import parse_study, read_study
from gamtune.config.reference import reference, schema
from gamtune.config.search import STRATEGIES
from gamtune.config.study import Study
from gamtune.config.yaml_file import parse_yaml
from gamtune.errors import InputError
from gamtune.plan import Plan
from gamtune.search.table import build_table, table_csv

ROOT = Path(__file__).parents[2]


def faults(tmp_path, capsys, changes):
    """Exit code and lines of `gamtune check`."""
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(changed(CONFIG, changes), sort_keys=False))
    code = main(["check", str(file)])
    said = capsys.readouterr().err.splitlines()
    return code, [line.removeprefix(f"{file}: ") for line in said]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"trainig": {}}, "trainig: unknown key, did you mean 'training'?"),
        ({"training.epochz": 3}, "training.epochz: unknown key, did you mean 'epochs'?"),
        ({"space.rhoo": [1]}, "space.rhoo: unknown parameter, did you mean 'rho'?"),
        (
            {"training.early_stopping.patienc": 3},
            "training.early_stopping.patienc: unknown key, did you mean 'patience'?",
        ),
        ({"study": None}, "study: missing, expected its name"),
        ({"study": "a b"}, "study: got 'a b', expected a name of up to 64 letters"),
        ({"search.draws": "many"}, "search.draws: got 'many', expected a valid integer"),
        ({"search.draws": 0}, "search.draws: got 0, expected greater than or equal to 1"),
        ({"search.draws": None}, "search.draws: missing; the strategy 'random' needs a number of configurations"),
        (
            {"search.strategy": "bayes"},
            "search.strategy: got 'bayes', expected 'manual', 'grid', 'random', 'sobol', 'latin_hypercube', 'tpe', 'gp' or 'halving'",
        ),
        ({"search.rounds": 3}, "search.rounds: not valid for strategy 'random'; it belongs to tpe and gp"),
        ({"search.eta": 3}, "search.eta: not valid for strategy 'random'; it belongs to halving"),
        ({"search.strategy": "tpe"}, "search.rounds: missing; the strategy 'tpe' needs a number of rounds"),
        (
            {"search.strategy": "gp", "search.rounds": 2, "search.replicates": 2},
            "search.replicates: not valid for strategy 'gp'; selection.confirm repeats its best",
        ),
        ({"search.seeds": [1, 2]}, "search.seeds: not valid together with draws; there is one configuration per seed"),
        ({"search.draws": None, "search.seeds": [4, 4]}, "search.seeds: lists 4 twice"),
        (
            {"search.draws": None, "search.seeds": [2**31]},
            "search.seeds[0]: got 2147483648, expected less than or equal to 2147483647",
        ),
        ({"search.seed": -1}, "search.seed: got -1, expected greater than or equal to 0"),
        (
            {"search.generator": "R-rounding"},
            "search.seeds: missing; the generator 'R-rounding' draws one configuration per seed",
        ),
        (
            {
                "search": {"strategy": "random", "seeds": [1], "generator": "R-rejection"},
                "space.rho": {"normal": [0.95, 0.01], "min": 0.9, "max": 0.99},
            },
            "space.rho: R draws no normal numbers with min or max",
        ),
        (
            {"data.selection": "test", "selection.final": {"train_on": "train+validation"}},
            "selection.final.train_on: not valid with data.selection test, which has no validation samples",
        ),
        (
            {"search.strategy": "halving", "space.epochs": [3, 4]},
            "space.epochs: the strategy 'halving' sets the epochs; training.epochs is the last rung's",
        ),
        (
            {"search.strategy": "halving", "training.epochs": 2},
            "search.rungs: rungs of 1, 1, 2 epochs; more training.epochs or fewer rungs",
        ),
        ({"search": {"strategy": "manual"}}, "search.rows: missing; the strategy 'manual' needs"),
        ({"space": {}}, "space is missing: the strategy 'random' needs one"),
        (
            {
                "space.optimizer": {"choice": ["sgd", "adam"], "when": {"activation": "relu"}},
                "space.activation": {"choice": ["relu", "tanh"], "when": {"optimizer": "sgd"}},
            },
            "space.optimizer.when: leads back to optimizer, so that neither could be drawn first",
        ),
        ({"space.l1": {"uniform": [2, 1]}}, "space.l1.uniform: got [2, 1], the low end must be below the high end"),
        ({"space.l1": {"uniform": [1]}}, "space.l1.uniform[1]: missing, expected two numbers"),
        ({"space.l1": {"unifrm": [1, 2]}}, "space.l1.unifrm: unknown distribution, did you mean 'uniform'?"),
        ({"space.l1": {"normal": [0, 1]}}, "space.l1: reaches from -inf to inf, but l1 is a number of at least 0"),
        ({"space.l1": {"log_uniform": [0, 1]}}, "space.l1.log_uniform: got [0, 1], the low end must be above 0"),
        (
            {"space.hidden_dropout.beta": [0, 1]},
            "space.hidden_dropout.beta: got [0, 1], the first shape must be above 0",
        ),
        (
            {"space.hidden_dropout.scale": 2},
            "space.hidden_dropout: reaches from 0 to 2, but hidden_dropout is a number",
        ),
        (
            {"space.depth": {"uniform": [1, 2]}},
            "space.depth: got a distribution of real numbers, expected whole numbers",
        ),
        ({"space.depth": {"integer": [0, 2]}}, "space.depth: reaches from 0 to 2, but depth is a whole number"),
        ({"space.neurons.per": "layers"}, "space.neurons.per: got 'layers', expected 'depth'"),
        ({"space.rho.per": "depth"}, "space.rho.per: got 'depth', but rho is one value for the whole network"),
        ({"space.depth": None}, "space.neurons.per: no depth to follow; add depth to space or to training"),
        (
            {"space.activation": ["relu", "gelu"]},
            "space.activation: got 'gelu', expected one of relu, tanh, elu, maxout",
        ),
        ({"space.rho.when": {"optimzer": "sgd"}}, "space.rho.when.optimzer: unknown parameter of the space"),
        ({"space.rho.when": {"optimizer": "sgd"}}, "space.rho.when.optimizer: unknown parameter of the space"),
        ({"space.rho.when": {"neurons": 8}}, "space.rho.when.neurons: unknown parameter of the space"),
        ({"space.l1": {"uniform": [0, float("inf")]}}, "space.l1.uniform[1]: got inf, expected a finite number"),
        ({"space.epochs": {"integer": [1, 10**18]}}, None),
        ({"training.l1": float("inf")}, "training.l1: got inf, expected a number of at least 0"),
        ({"training.epochs": 10**400}, "training.epochs: got 1000"),
        ({"study": "store"}, "study: got 'store', expected another name"),
        ({"search.rows": [1]}, "search.rows[0]: got 1, expected a valid dictionary"),
        ({"search.rows": [{"neurons": []}]}, "row manual_1, neurons: got [], expected at least one hidden layer"),
        ({"data": {"source": "table", "path": "x", "target": "y", "drop": ["y"]}}, "data: drop lists the target 'y'"),
        ({"training.rho": 1.5}, "training.rho: got 1.5, expected a number above 0 and below 1"),
        ({"analysis.gam": "s(lr, k=4)"}, "analysis.gam: s(lr, k=4): no column 'lr' in the table; it has depth"),
        (
            {"analysis.gam": "s(depth, k=6)"},
            "analysis.gam: s(depth, k=6): depth has 3 distinct values, k can be 3 at most",
        ),
        (
            {"analysis.gam": "s(rho, k=7) + s(l1, k=6)"},
            "analysis.gam: the formula has 12 coefficients, more than the 10 conf",
        ),
        ({"analysis.gam": "te(l1, rho, k=4)"}, "analysis.gam: the formula has 16 coefficients, more than the 10 conf"),
        ({"analysis.gam": "s(l1) # only l1"}, "analysis.gam: '# only l1': a formula cannot hold a comment"),
        ({"analysis.gam": "s(l1, k=3, k=4)"}, "analysis.gam: s(l1, k=3, k=4): k is given twice"),
        (
            {"analysis.gam": "s(log(l1), k=3)", "search.rows": [{"l1": 0}]},
            "analysis.gam: s(log(l1), k=3): l1 has the value 0 in the table; a logarithm needs values above 0",
        ),
        ({"analysis.gam": "s(neurons)"}, "analysis.gam: s(neurons): neurons is text; use sum_neurons"),
        ({"analysis.gam": "s(l1"}, "analysis.gam: "),
        (
            {"selection.rules": ["best"]},
            "selection.rules[0]: got 'best', expected 'best_observed', 'gam_optimum', 'one_standard_error', 'by_hand' or 'default'",
        ),
        ({"selection.rules": ["by_hand"]}, "selection: the rule by_hand and the candidates in by_hand go together"),
        (
            {"selection": {"rules": ["by_hand"], "by_hand": {"x": {"l1": -1}}}},
            "selection.by_hand.x, l1: got -1, expected a number of at least 0",
        ),
        ({"data": {"source": "table", "path": "none.csv", "target": "y"}}, "data.path: none.csv is no file"),
        ({"data": {"source": "table", "path": "x.csv"}}, "data: target is missing: the source 'table' needs it"),
        (
            {
                "data": {"source": "table", "path": "x.csv", "target": "y", "task": "regression"},
                "training.label_smoothing": 0.1,
            },
            "training.label_smoothing: a regression has no classes to smooth",
        ),
        (
            {
                "data": {"source": "table", "path": "x.csv", "target": "y", "task": "regression"},
                "space.label_smoothing": {"uniform": [0, 0.1]},
            },
            "space.label_smoothing: a regression has no classes to smooth",
        ),
        (
            {"training.label_smoothing": 1},
            "training.label_smoothing: got 1, expected a number of at least 0 and below 1",
        ),
        ({"data.whiten": 1}, "data.whiten: got 1"),
        ({"data.path": "x.csv"}, "data: path means nothing to the source 'digits'; did you mean source: table?"),
        ({"data.validation.fraction": 0.9}, "data: validation and test leave no row to train on"),
        ({"tracking.uri": "mysql://x"}, "tracking.uri: got an address that begins with 'mysql', expected"),
        ({"tracking.uri": "https://anna:geheim@x"}, "tracking.uri: got an address with a login or a query, expected"),
        ({"tracking.uri": "https://x/?token=geheim"}, "tracking.uri: got an address with a login or a query, expected"),
        ({"tracking.uri": "postgresql://anna:geheim@x"}, "tracking.uri: got an address that begins with 'postgresql',"),
        ({"__use_yte__": True}, "__use_yte__: refused, a config must not run code"),
        ({"search.draws": 10**9}, "search.draws: got 1000000000, expected less than or equal to 100000"),
        ({"search.draws": 10**5, "search.replicates": 1000}, "search: more than 200000 trials; use fewer"),
        ({"study": 2026}, "study: got 2026, expected text; write it in quotes"),
        ({"data.drop": [1]}, "data.drop[0]: got 1, expected text; write it in quotes"),
        ({"study": "wine.v2"}, "study: got 'wine.v2', expected a name of up to 64 letters, digits, '_' or '-'"),
        ({"study": "-x"}, "study: got '-x', expected a name of up to 64 letters, digits, '_' or '-', with a letter or"),
        (
            {"search": {"strategy": "gp", "draws": 3, "rounds": 1}},
            "search.draws: the strategy 'gp' needs the results of at least 4 configurations before its first round, got 3",
        ),
        ({"space.l1": {"beta": [1e-9, 1]}}, "space.l1.beta: got [1e-09, 1], the first shape must be from 1e-06 to"),
        (
            {"space.l1": {"normal": [0, 1e-9], "min": 1e-3}},
            "space.l1: min and max are so far from the mean that all draws are equal",
        ),
        ({"data.seed": 2**32}, "data.seed: got 4294967296, expected less than or equal to 4294967295"),
        ({"search.seed": 2**32}, "search.seed: got 4294967296, expected less than or equal to 4294967295"),
        ({"training.seed": 10**6}, "training.seed: got 1000000, expected less than 1000000"),
        (
            {"space.momentum": {"uniform": [0, 0.9]}, "training.optimizer": "adadelta"},
            "space.momentum: no configuration uses it: momentum belongs to optimizer sgd, got optimizer adadelta",
        ),
        (
            {"space.optimizer": ["adam", "sgd"], "space.rho": {"uniform": [0.9, 1], "when": {"optimizer": "sgd"}}},
            "space.rho: no configuration uses it: rho belongs to optimizer adadelta, got optimizer adam and sgd",
        ),
        (
            {"space.activation": ["relu"], "space.rho": {"uniform": [0.9, 1], "when": {"activation": "tanh"}}},
            "space.rho: no configuration uses it: its condition `when` holds in none of them",
        ),
        (
            {"search": {"strategy": "manual", "rows": [{"l1": 0.1}]}, "space": {"l2": [0, 1]}},
            "space.l2: no configuration uses it: the strategy 'manual' draws nothing from the space",
        ),
        (
            {"search": {"strategy": "manual", "rows": [{"optimizer": "adam", "rho": 0.9}]}, "space": None},
            "search.rows: rho: no configuration uses it: rho belongs to optimizer adadelta, got optimizer adam",
        ),
        (
            {"training.momentum": 0.5},
            "training.momentum: no configuration uses it: momentum belongs to optimizer sgd, got optimizer adadelta",
        ),
        (
            {"training": {"early_stopping": None}, "space.min_delta": {"uniform": [0, 1]}},
            "space.min_delta: no configuration uses it: it needs training.early_stopping",
        ),
        (
            {"selection": {"rules": ["by_hand"], "by_hand": {"x": {"momentum": 0.5}}}},
            "selection.by_hand.x.momentum: momentum belongs to optimizer sgd, got optimizer adadelta",
        ),
        (
            {"search.rows": [{"name": "a", "l1": 0.1}, {"l1": 1}, {"name": "a", "l1": 0.2}]},
            "search.rows: rows 1 and 3 have the name 'a' but different settings; give each its own name",
        ),
        (
            {"search.rows": [{"name": "random_001", "l1": 0.1}]},
            "search.rows: two configurations are named 'random_001'; give the row another name",
        ),
        ({"search.rows": [{"name": ["a"], "l1": 0.1}]}, "search.rows: row 1, name: got \"['a']\", expected at most"),
    ],
)
def test_a_faulty_config_is_one_line_with_key_value_and_expectation(tmp_path, capsys, changes, line):
    code, lines = faults(tmp_path, capsys, changes)
    if line is None:  # odd, but nothing is wrong with it
        assert (code, lines) == (0, [])
        return
    assert code == 2
    assert len(lines) == 1
    assert lines[0].startswith(line)
    assert "geheim" not in lines[0]


def test_several_faults_are_one_line_each(tmp_path, capsys):
    code, lines = faults(tmp_path, capsys, {"trainig": {}, "search.draws": 0, "space.l1": {"uniform": [1, 0]}})
    assert (code, len(lines)) == (2, 3)


def test_a_missing_target_column_is_named_with_the_nearest(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("wine.csv").write_text("alcohol,quality\n1,2\n")
    data = {"source": "table", "path": "wine.csv", "target": "qualty"}
    assert faults(tmp_path, capsys, {"data": data}) == (
        2,
        ["data.target: wine.csv has no column 'qualty': unknown column, did you mean 'quality'?"],
    )


@pytest.mark.parametrize(("text", "line"), [("a: [", "no valid YAML"), ("- 1", "got no keys"), ("", "got no keys")])
def test_a_file_that_is_no_config_is_one_line(tmp_path, capsys, text, line):
    file = tmp_path / "c.yaml"
    file.write_text(text)
    assert main(["check", str(file)]) == 2
    said = capsys.readouterr().err
    assert line in said
    assert said.count("\n") == 1
    assert main(["check", str(tmp_path / "none.yaml")]) == 2
    assert "cannot be read: No such file" in capsys.readouterr().err


def test_a_good_config_is_said_to_be_one(tmp_path, capsys):
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(CONFIG))
    assert main(["check", str(file)]) == 0
    assert "study small: 10 trials, 21 confirmations" in capsys.readouterr().out


def test_yaml_numbers_that_yaml_reads_as_text_are_numbers():
    text = yaml.safe_dump(changed(CONFIG, {"space.epsilon": {"uniform": ["LOW", "HIGH"]}, "training.l2": "RATE"}))
    text = text.replace("LOW", "1e-10").replace("HIGH", "1e-4").replace("RATE", "1e-3")
    study = parse_study(parse_yaml(text, "c"), "c")
    assert study.space["epsilon"].support == (1e-10, 1e-4)
    assert study.training.settings["l2"] == 0.001


def test_the_schema_and_the_reference_are_those_of_the_models():
    stale = "run `make reference` and commit what it writes"
    assert (ROOT / "config/schema.json").read_text() == schema(), stale
    assert (ROOT / "config/README.md").read_text() == reference(), stale


@pytest.mark.parametrize(
    "path", [ROOT / "config/config.yaml", *sorted((ROOT / "config/studies").glob("*.yaml"))], ids=str
)
def test_every_study_here_is_valid_by_the_models_and_by_the_schema(path, monkeypatch):
    monkeypatch.chdir(ROOT)
    raw = yaml.safe_load(path.read_text())
    Plan(raw, path.name)
    jsonschema.validate(raw, json.loads(schema()))


def test_the_schema_refuses_an_unknown_key():
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(changed(CONFIG, {"space.rhoo": 1}), json.loads(schema()))


def test_the_default_study_is_the_lectures_space_and_its_formula_needs_no_warning():
    plan = Plan(yaml.safe_load((ROOT / "config/config.yaml").read_text()), "config.yaml")
    from gamtune.gam.formula import parse_formula

    assert len(plan.trials) == 60
    assert 3 * parse_formula(plan.config.analysis.gam).n_coefficients() <= 60


def test_a_formulas_coefficients_are_counted_against_the_configurations_that_there_will_be():
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
        raw = yaml.safe_load(path.read_text())
        natural = [hint for hint in Plan(raw, path.name).hints if "natural scale" in hint]
        assert natural == [], path.name


def test_a_formula_with_a_logarithm_puts_its_column_on_a_logarithmic_axis():
    plan = Plan(changed(CONFIG, {"analysis.gam": "s(log(l1), k=3) + s(rho, k=3)"}), "c")
    assert plan.log_columns == ["l1"]


def test_a_step_is_told_its_own_sections_and_nothing_else():
    plan, other = (Plan(changed(CONFIG, changes), "c") for changes in ({}, {"analysis.gam": "s(l1, k=3)"}))
    assert plan.sections("data", "search") == other.sections("data", "search")
    assert plan.sections("analysis") != other.sections("analysis")
    assert list(json.loads(plan.sections("search", "data"))) == ["data", "search"]


def test_a_study_survives_the_json_that_steps_are_told():
    changes = {"space.epsilon": {"log_uniform": [1e-8, 1e-4]}, "training.early_stopping": None}
    raw = changed(CONFIG, changes)
    raw["training"] = {"early_stopping": None}
    plan = Plan(raw, "c")
    again = Study.model_validate(json.loads(plan.sections(*Study.model_fields)))
    assert again == plan.config
    assert table_csv(again) == table_csv(plan.config)


@pytest.mark.parametrize(
    ("case", "line"),
    [
        ("22-study-name-dot", "config.yaml: study: got 'wine.v2', expected a name of up to 64 letters"),
        ("28-rows-of-one-name", "config.yaml: search.rows: rows 1 and 2 have the name 'w' but different settings"),
        ("32-yaml-key-twice", "config.yaml: line 26: the key 'space' is given twice, first in line 10"),
        ("34-min-delta-inf", "config.yaml: training.early_stopping.min_delta: got inf, expected a finite number"),
        ("35-normal-upper-tail", None),
        ("38-path-braces", None),
        ("45-seed-and-groups", "config.yaml: data.seed: got 1099511627776, expected less than or equal to 4294967295"),
        ("48-space-parameter-unused", "config.yaml: space.momentum: no configuration uses it: momentum belongs to"),
        ("49-tpe-that-is-random", None),
    ],
)  # fmt: skip
def test_the_cases_are_refused_in_one_line_or_accepted(monkeypatch, capsys, case, line):
    monkeypatch.chdir(ROOT / "tests/cases" / case)
    assert main(["check", "config.yaml"]) == (2 if line else 0)
    said = capsys.readouterr().err
    assert said.count("\n") == (1 if line else 0)
    assert said.startswith(line or "")


def test_a_run_writes_a_file_for_each_step_once_and_a_dry_run_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    raw = changed(CONFIG, {"search": {"strategy": "tpe", "draws": 4, "rounds": 2}, "study": "s"})
    plan = Plan(raw, "c")
    path = plan.step_config("study", "data", "search", "space", "training")
    rounds = {plan.proposing(stage) for stage in plan.stages}
    assert not Path("results").exists()
    plan.write_step_configs()
    assert {str(file) for file in Path("results/s/config").glob("*.json")} == {path, *rounds}
    assert table_csv(read_study(path)) == table_csv(plan.config)
    Path(path).write_text("{")  # damaged by hand
    plan.write_step_configs()
    assert table_csv(read_study(path)) == table_csv(plan.config)
    more = Plan(changed(raw, {"search.rounds": 3, "analysis.gam": "s(l1, k=3)"}), "c")
    assert {more.proposing(stage) for stage in more.stages[:2]} == rounds
    assert more.step_config("study", "data", "search", "space", "training") != path


def test_a_config_of_any_length_and_any_letters_reaches_the_steps(tmp_path, monkeypatch):
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


def test_a_file_whose_path_holds_braces_enters_its_rule_by_its_content(tmp_path, monkeypatch):
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


def test_a_grid_keeps_the_order_of_its_space_on_its_way_to_the_steps():
    raw = {**CONFIG, "search": {"strategy": "grid"}, "space": {"l1": [0, 1], "depth": [1, 2], "epochs": [1, 2]}}
    plan = Plan(raw, "c")
    again = Study.model_validate(json.loads(plan.sections("study", "data", "search", "space", "training")))
    assert [row.spec.l1 for row in build_table(again)][:4] == [0, 1, 0, 1]
    assert build_table(again) == plan.rows


def test_the_tables_digest_follows_every_row(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("rows.csv").write_text("l1\n0.1\n")
    raw = {**CONFIG, "search": {"strategy": "manual", "rows": "rows.csv"}, "space": {}}
    before = Plan(raw, "c")
    assert Plan(raw, "c").table_digest == before.table_digest
    Path("rows.csv").write_text("l1\n0.1\n0.2\n")
    assert Plan(raw, "c").table_digest != before.table_digest
    assert Plan(raw, "c").sections("search") == before.sections("search")


def test_many_unknown_keys_of_the_search_read_the_strategies_once(monkeypatch):
    listed = []
    names = STRATEGIES.names
    monkeypatch.setattr(STRATEGIES, "names", lambda: listed.append(1) or names())
    with pytest.raises(InputError, match="1000 unknown keys"):
        parse_study(changed(CONFIG, {f"search.key{number}": 1 for number in range(1000)}), "x")
    assert len(listed) == 1


@pytest.mark.parametrize("strategy", ["gp", "halving"])
def test_a_strategy_with_stages_has_no_replicates(strategy):
    rounds = {"rounds": 1} if strategy == "gp" else {}
    raw = changed(CONFIG, {"search": {"strategy": strategy, "draws": 9, "replicates": 2, **rounds}})
    with pytest.raises(InputError, match=f"search.replicates: not valid for strategy '{strategy}'"):
        parse_study(raw, "x")

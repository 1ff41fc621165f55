import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from configs import CONFIG, changed

from gamtune.cli.main import main
from gamtune.config.load import parse_study, read_raw
from gamtune.config.reference import reference, schema
from gamtune.config.search import STRATEGIES
from gamtune.config.yaml_file import parse_yaml
from gamtune.errors import InputError
from gamtune.plan import Plan

ROOT = Path(__file__).parents[2]
PARTS = {part: f"{part}.csv" for part in ("train", "validation", "test")}


def reported(tmp_path, capsys, changes):
    """Return the exit code and the lines of `gamtune check`."""
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(changed(CONFIG, changes), sort_keys=False))
    code = main(["check", str(file)])
    errors = capsys.readouterr().err.splitlines()
    return code, [line.removeprefix(f"{file}: ") for line in errors]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"trainig": {}}, "trainig: unknown key, did you mean 'training'?"),
        ({"training.epochz": 3}, "training.epochz: unknown key, did you mean 'epochs'?"),
        ({"space.rhoo": [1]}, "space.rhoo: unknown hyperparameter, did you mean 'rho'?"),
        (
            {"training.early_stopping.patienc": 3},
            "training.early_stopping.patienc: unknown key, did you mean 'patience'?",
        ),
        ({"study": None}, "study: missing; this key is required: name of the study"),
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
        ({"search.draws": None, "search.seeds": [4, 4]}, "search.seeds: 4 is listed twice"),
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
            "space.rho: min and max are not valid for R's generators",
        ),
        (
            {"selection.on": "test", "selection.final": {"train_on": "train+validation"}},
            "selection.final.train_on: 'train+validation' is not valid for selection.on 'test'",
        ),
        (
            {"search.strategy": "halving", "space.epochs": [3, 4]},
            "space.epochs: not valid for strategy 'halving'; set training.epochs, those of the last rung",
        ),
        (
            {"search.strategy": "halving", "training.epochs": 2},
            "search.rungs: the rungs have 1, 1, 2 epochs, expected increasing numbers; increase",
        ),
        ({"search": {"strategy": "manual"}}, "search.rows: missing; the strategy 'manual' needs"),
        ({"space": {}}, "space: missing; strategy 'random' requires it"),
        (
            {
                "space.optimizer": {"choice": ["sgd", "adam"], "when": {"activation": "relu"}},
                "space.activation": {"choice": ["relu", "tanh"], "when": {"optimizer": "sgd"}},
            },
            "space.optimizer.when: the conditions depend on optimizer itself; remove one of them",
        ),
        ({"space.l1": {"uniform": [2, 1]}}, "space.l1.uniform: got [2, 1], the low end must be below the high end"),
        ({"space.l1": {"uniform": [1]}}, "space.l1.uniform[1]: missing; expected two numbers"),
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
        ({"space.rho.per": "depth"}, "space.rho.per: got 'depth', but rho has one value for all layers"),
        ({"space.depth": None}, "space.neurons.per: the number of layers is not set; add `depth` to space or training"),
        (
            {"space.activation": ["relu", "gelu"]},
            "space.activation: got 'gelu', expected one of relu, tanh, elu, maxout",
        ),
        ({"space.rho.when": {"optimzer": "sgd"}}, "space.rho.when.optimzer: unknown hyperparameter of the space"),
        ({"space.rho.when": {"optimizer": "sgd"}}, "space.rho.when.optimizer: unknown hyperparameter of the space"),
        ({"space.rho.when": {"neurons": 8}}, "space.rho.when.neurons: unknown hyperparameter of the space"),
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
        ({"analysis.gam": "s(l1) # only l1"}, "analysis.gam: '# only l1': a formula cannot contain a comment"),
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
        (
            {"selection.rules": ["by_hand"]},
            "selection: the rule by_hand requires candidates in by_hand, and vice versa",
        ),
        (
            {"selection": {"rules": ["by_hand"], "by_hand": {"x": {"l1": -1}}}},
            "selection.by_hand.x, l1: got -1, expected a number of at least 0",
        ),
        (
            {"data": {"source": "table", "path": "none.csv", "target": "y"}},
            "data.path: none.csv does not exist or is not a file",
        ),
        ({"data": {"source": "table", "path": "x.csv"}}, "data: target is missing; source 'table' requires it"),
        (
            {
                "data": {"source": "table", "path": "x.csv", "target": "y", "task": "regression"},
                "training.label_smoothing": 0.1,
            },
            "training.label_smoothing: not valid for a regression; remove it",
        ),
        (
            {
                "data": {"source": "table", "path": "x.csv", "target": "y", "task": "regression"},
                "space.label_smoothing": {"uniform": [0, 0.1]},
            },
            "space.label_smoothing: not valid for a regression; remove it",
        ),
        (
            {"training.label_smoothing": 1},
            "training.label_smoothing: got 1, expected a number of at least 0 and below 1",
        ),
        ({"data.whiten": 1}, "data.whiten: got 1"),
        ({"data.path": "x.csv"}, "data: path is not valid for source 'digits'; did you mean source: table?"),
        (
            {"data.validation.fraction": 0.9},
            "data: no training samples are left; validation.fraction and test.fraction must",
        ),
        ({"tracking.uri": "mysql://x"}, "tracking.uri: got a URI that begins with 'mysql', expected"),
        ({"tracking.uri": "https://anna:geheim@x"}, "tracking.uri: got a URI with a login or a query, expected"),
        ({"tracking.uri": "https://x/?token=geheim"}, "tracking.uri: got a URI with a login or a query, expected"),
        ({"tracking.uri": "postgresql://anna:geheim@x"}, "tracking.uri: got a URI that begins with 'postgresql',"),
        ({"__use_yte__": True}, "__use_yte__: not allowed, because a config must not run code"),
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
            "space.rho: no configuration uses it: no configuration satisfies its condition `when`",
        ),
        (
            {"search": {"strategy": "manual", "rows": [{"l1": 0.1}]}, "space": {"l2": [0, 1]}},
            "space.l2: no configuration uses it: the strategy 'manual' does not draw from the space",
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
            "space.min_delta: no configuration uses it: it requires training.early_stopping",
        ),
        (
            {"selection": {"rules": ["by_hand"], "by_hand": {"x": {"momentum": 0.5}}}},
            "selection.by_hand.x.momentum: momentum belongs to optimizer sgd, got optimizer adadelta",
        ),
        (
            {"search.rows": [{"name": "a", "l1": 0.1}, {"l1": 1}, {"name": "a", "l1": 0.2}]},
            "search.rows: rows 1 and 3 have the name 'a' but different settings; use different names",
        ),
        (
            {"search.rows": [{"name": "random_001", "l1": 0.1}]},
            "search.rows: two configurations are named 'random_001'; use another name",
        ),
        (
            {"search.rows": [{"name": ["a"], "l1": 0.1}]},
            "search.rows: row 1, name: got \"['a']\", expected text of at most",
        ),
    ],
)
def test_an_invalid_config_is_reported_in_one_line_with_key_and_value(tmp_path, capsys, changes, line):
    code, lines = reported(tmp_path, capsys, changes)
    if line is None:  # unusual but valid configs
        assert (code, lines) == (0, [])
        return
    assert code == 2
    assert len(lines) == 1
    assert lines[0].startswith(line)
    assert "geheim" not in lines[0]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"selection.on": "test", "data.validation": {"folds": 3}},
            "data.validation: not valid for selection.on 'test'",
        ),
        (
            {"selection.on": "test", "data": {"source": "table", "target": "y", "path": PARTS}},
            "data.path.validation: not valid for selection.on 'test'",
        ),
        ({"data.test": {"fraction": 0.8}}, "data: no training samples are left; validation.fraction and test.fraction"),
        ({"selection.on": "train"}, "selection.on: got 'train', expected 'validation' or 'test'"),
        ({"data.selection": "test"}, "data.selection: unknown key"),
    ],
)
def test_a_split_that_does_not_suit_the_samples_of_the_selection_is_reported(tmp_path, capsys, changes, line):
    code, (found,) = reported(tmp_path, capsys, changes)
    assert (code, found[: len(line)]) == (2, line)


def test_without_validation_samples_the_test_set_can_be_larger(tmp_path, capsys):
    changes = {"selection.on": "test", "data.test": {"fraction": 0.8}}
    assert reported(tmp_path, capsys, changes) == (0, [])


def test_several_errors_are_reported_in_one_line_each(tmp_path, capsys):
    code, lines = reported(tmp_path, capsys, {"trainig": {}, "search.draws": 0, "space.l1": {"uniform": [1, 0]}})
    assert (code, len(lines)) == (2, 3)


def test_a_missing_target_column_is_reported_with_the_most_similar_name(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("wine.csv").write_text("alcohol,quality\n1,2\n")
    data = {"source": "table", "path": "wine.csv", "target": "qualty"}
    assert reported(tmp_path, capsys, {"data": data}) == (
        2,
        ["data.target: wine.csv has no column 'qualty': unknown column, did you mean 'quality'?"],
    )


@pytest.mark.parametrize(
    ("text", "line"), [("a: [", "not valid YAML"), ("- 1", "the file has no keys"), ("", "the file has no keys")]
)
def test_a_file_that_is_not_a_config_is_reported_in_one_line(tmp_path, capsys, text, line):
    file = tmp_path / "c.yaml"
    file.write_text(text)
    assert main(["check", str(file)]) == 2
    errors = capsys.readouterr().err
    assert line in errors
    assert errors.count("\n") == 1
    assert main(["check", str(tmp_path / "none.yaml")]) == 2
    assert "cannot be read: No such file" in capsys.readouterr().err


def test_a_valid_config_exits_with_code_0_and_prints_the_number_of_trials(tmp_path, capsys):
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(CONFIG))
    assert main(["check", str(file)]) == 0
    assert "study small: 10 trials, 21 confirmations" in capsys.readouterr().out


def test_numbers_in_scientific_notation_are_read_as_numbers():
    text = yaml.safe_dump(changed(CONFIG, {"space.epsilon": {"uniform": ["LOW", "HIGH"]}, "training.l2": "RATE"}))
    text = text.replace("LOW", "1e-10").replace("HIGH", "1e-4").replace("RATE", "1e-3")
    study = parse_study(parse_yaml(text, "c"), "c")
    assert study.space["epsilon"].support == (1e-10, 1e-4)
    assert study.training.settings["l2"] == 0.001


def test_the_schema_and_the_reference_are_up_to_date():
    stale = "run `make reference` and commit what it writes"
    assert (ROOT / "config/schema.json").read_text() == schema(), stale
    assert (ROOT / "config/README.md").read_text() == reference(), stale


@pytest.mark.parametrize(
    "path", [ROOT / "config/config.yaml", *sorted((ROOT / "config/studies").glob("*.yaml"))], ids=str
)
def test_every_included_study_is_valid_by_the_models_and_by_the_schema(path, monkeypatch):
    monkeypatch.chdir(ROOT)
    raw = read_raw(str(path))
    Plan(raw, path.name)
    jsonschema.validate(raw, json.loads(schema()))


def test_the_schema_refuses_an_unknown_key():
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(changed(CONFIG, {"space.rhoo": 1}), json.loads(schema()))


@pytest.mark.parametrize(
    ("case", "line"),
    [
        ("22-study-name-dot", "config.yaml: study: got 'wine.v2', expected a name of up to 64 letters"),
        ("28-rows-of-one-name", "config.yaml: search.rows: rows 1 and 2 have the name 'w' but different settings"),
        ("32-yaml-key-twice", "config.yaml: line 26: duplicate key 'space', first used in line 10"),
        ("34-min-delta-inf", "config.yaml: training.early_stopping.min_delta: got inf, expected a finite number"),
        ("35-normal-upper-tail", None),
        ("38-path-braces", None),
        ("45-seed-and-groups", "config.yaml: data.seed: got 1099511627776, expected less than or equal to 4294967295"),
        ("48-space-parameter-unused", "config.yaml: space.momentum: no configuration uses it: momentum belongs to"),
        ("49-tpe-that-is-random", None),
    ],
)  # fmt: skip
def test_each_config_in_tests_cases_is_accepted_or_reported_in_one_line(monkeypatch, capsys, case, line):
    monkeypatch.chdir(ROOT / "tests/cases" / case)
    assert main(["check", "config.yaml"]) == (2 if line else 0)
    errors = capsys.readouterr().err
    assert errors.count("\n") == (1 if line else 0)
    assert errors.startswith(line or "")


def test_many_unknown_search_keys_load_the_strategies_once(monkeypatch):
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

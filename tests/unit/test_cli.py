"""The command line: every command has a description and reports misuse in one line with exit code 2."""

import importlib
import re
from pathlib import Path

import pytest

from gamtune.cli.commands import COMMANDS
from gamtune.cli.main import main
from gamtune.config.settings import make_spec
from gamtune.runtime.environment import LIBRARY

SPEC = make_spec({"neurons": [3]}, 1).to_json()
TRAIN = ["train", "--data", "here.txt", "--record", "r.json", "--store", "s"]
MISUSE = {
    "check: no file": (["check", "no.yaml"], "no.yaml"),
    "check: a folder": (["check", "."], ".: "),
    "table: no file": (["table", "no.yaml"], "no.yaml"),
    "metrics: no file": (["metrics", "no.csv"], "no.csv: there is no such file"),
    "metrics: a folder": (["metrics", "."], ". is a folder, expected a file"),
    "predict: no model": (["predict", "no.keras", "here.txt"], "no.keras: there is no such file"),
    "predict: no rows": (["predict", "here.txt", "no.csv"], "no.csv: there is no such file"),
    "gam: no file": (["gam", "no.csv", "--formula", "s(x)", "--out", "g"], "no.csv: there is no such file"),
    "gam: columns": (
        ["gam", "here.txt", "--formula", "s(x)", "--out", "g", "--columns", "x,y"],
        """argument --columns: got 'x,y', expected {"columns": [...], "log": [...]}""",
    ),
    "gam: method": (["gam", "here.txt", "--formula", "s(x)", "--out", "g", "--method", "ML"], "invalid choice: 'ML'"),
    "sync: no file": (["sync", "no.yaml"], "no.yaml"),
    "sync: process": (["sync", "no.yaml", "--follow", "x"], "argument --follow: got 'x', expected an integer"),
    "ui: port": (["ui", "no.yaml", "--port", "0"], "argument --port: got 0, expected an integer of at least 1"),
    "ui: no file": (["ui", "no.yaml"], "no.yaml"),
    "show: no file": (["show", "no.yaml"], "no.yaml"),
    "reset-failed: no file": (["reset-failed", "no.yaml"], "no.yaml"),
    "prune: no file": (["prune", "no.yaml"], "no.yaml"),
    "fetch: no file": (["fetch", "--data", "no.json", "--out", "o"], "no.json"),
    "fetch: no section": (["fetch", "--data", "empty.json", "--out", "o"], "empty.json: data: missing; add the section data"),
    "fetch: a local source": (["fetch", "--data", "digits.json", "--out", "o"], "'digits' is not downloaded"),
    "data: no section": (["data", "--data", "empty.json", "--out", "o"], "empty.json: data: missing; add the section data"),
    "data: unknown source": (["data", "--data", "unknown.json", "--out", "o"], "unknown.json: data.source"),
    "data: unknown part": (["data", "--data", "part.json", "--out", "o"], "part.json: selection.on: got 'train'"),
    "data: folds": (["data", "--data", "folds.json", "--out", "o"], "folds.json: data.validation: not valid for"),
    "train: nothing": (TRAIN, "one of the arguments --spec --slots is required"),
    "train: no slot": ([*TRAIN, "--slots", "here.txt"], "gamtune train: --slots and --slot must be given together"),
    "train: no slots": ([*TRAIN, "--spec", SPEC, "--slot", "1"], "gamtune train: --slots and --slot must be given together"),
    "train: two": ([*TRAIN, "--slots", "here.txt", "--spec", SPEC], "not allowed with argument"),
    "train: no slots file": ([*TRAIN, "--slots", "here.txt", "--slot", "1"], "here.txt: damaged: it has no column 'slot'"),
    "train: no JSON": ([*TRAIN, "--spec", "{"], "argument --spec: got '{', expected the specification of a trial"),
    "train: no object": ([*TRAIN, "--spec", "[1]"], "argument --spec: got '[1]', expected the specification"),
    "train: other settings": ([*TRAIN, "--spec", '{"a": 1}'], "unknown field 'a' in a spec"),
    "train: leave": ([*TRAIN, "--spec", "{", "--leave", "x"], "argument"),
    "propose: no folder": (["propose", "no.yaml", "--study", "no", "--stage", "1"], "no: there is no such folder"),
    "summarise: no folder": (["summarise", "no.yaml", "--study", "no"], "no: there is no such folder"),
    "figures: columns": (
        ["figures", "--study", ".", "--out", "o", "--columns", '{"columns": [1], "log": []}'],
        "argument --columns: got",
    ),
    "optimum-figures: no folder": (["optimum-figures", "--study", "no", "--out", "o"], "no: there is no such folder"),
    "candidates: no file": (["candidates", "no.yaml", "--summary", "no.csv", "--out", "o"], "no.csv: there is no such"),
    "select: no file": (["select", "no.yaml", "--study", "."], "no.yaml"),
    "evaluate: nobody": (["evaluate", "--study", ".", "--replicates", "1", "--finalists"], "argument --finalists"),
    "report: no folder": (["report", "no.yaml", "--study", "no"], "no: there is no such folder"),
}  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a working directory with a text file and three config files of steps."""
    monkeypatch.chdir(tmp_path)
    for name, text in {
        "here.txt": "text\n",
        "empty.json": "{}",
        "digits.json": '{"data": {"source": "digits"}}',
        "unknown.json": '{"data": {"source": "nowhere"}}',
        "part.json": '{"data": {"source": "digits"}, "selection": {"on": "train"}}',
        "folds.json": '{"data": {"source": "digits", "validation": {"folds": 2}}, "selection": {"on": "test"}}',
    }.items():
        Path(name).write_text(text)
    return tmp_path


def answer(capsys, *arguments):
    """Return exit code, output and errors of a command."""
    try:
        code = main(arguments)
    except SystemExit as end:
        code = end.code
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize(("arguments", "message"), MISUSE.values(), ids=MISUSE)
def test_misuse_is_reported_in_one_line_with_exit_code_2(folder, capsys, arguments, message):
    before = sorted(folder.rglob("*"))
    code, output, errors = answer(capsys, *arguments)
    assert (code, output) == (2, "")
    assert errors.count("\n") == 1
    assert message in errors
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("arguments", [[], ["--nonsense"]], ids=["nothing", "an unknown option"])
@pytest.mark.parametrize("name", COMMANDS)
def test_missing_arguments_are_reported_in_one_line_with_exit_code_2(folder, capsys, name, arguments):
    code, output, errors = answer(capsys, name, *arguments)
    assert (code, output) == (2, "")
    assert errors.count("\n") == 1
    assert errors.startswith(f"gamtune {name}: ")
    assert errors.endswith(f"; see gamtune {name} --help\n")


@pytest.mark.parametrize("arguments", [[], ["unknown"], ["--unknown"]])
def test_an_unknown_command_is_reported_in_one_line_with_exit_code_2(capsys, arguments):
    code, output, errors = answer(capsys, *arguments)
    assert (code, output) == (2, "")
    assert errors.count("\n") == 1
    assert errors.endswith("; see gamtune --help\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_description(capsys, name):
    code, output, errors = answer(capsys, name, "--help")
    assert (code, errors) == (0, "")
    assert output.startswith(f"usage: gamtune {name} ")


def test_the_help_lists_every_command(capsys):
    code, output, _ = answer(capsys, "--help")
    assert code == 0
    assert [name for name in COMMANDS if not re.search(rf"^ +{name}\b", output, re.M)] == []


def test_every_module_of_a_command_is_registered():
    shared = {"__init__", "arguments", "commands", "main", "tracked"}
    modules = {path.stem for path in (LIBRARY / "gamtune" / "cli").glob("*.py")} - shared
    assert {f"gamtune.cli.{module}" for module in modules} == {module for module, _ in COMMANDS.values()}
    for module, _ in COMMANDS.values():
        assert {"add_arguments", "run"} <= set(dir(importlib.import_module(module)))

"""Every command with missing, wrong and incomplete arguments: one line, exit code 2 and no traceback."""

import argparse
import json
from functools import cache
from itertools import chain
from pathlib import Path

import pytest

from gamtune.cli.arguments import columns, existing_file, existing_folder
from gamtune.cli.commands import COMMANDS
from gamtune.cli.main import _parser, main

WRONG = ["", "\0", "no/such", "-1", "x y", "{", "[1]", "null", "1e999", "9" * 5000, "ä"]
OF_TYPE = {existing_file: "here.txt", existing_folder: ".", columns: '{"columns": [], "log": []}', Path: "out"}


@cache
def parser(name):
    """Return the parser of a command."""
    (commands,) = [one for one in _parser([name])._actions if isinstance(one, argparse._SubParsersAction)]
    return commands.choices[name]


def actions(name):
    """Return the arguments of a command, without --help."""
    return [one for one in parser(name)._actions if one.dest != "help"]


def accepted(action):
    """Return a value that the type of the argument accepts, although no such study exists."""
    if action.choices:
        return next(iter(action.choices))
    if action.type in OF_TYPE:
        return OF_TYPE[action.type]
    return next((text for text in ("1", "{}", "no.yaml") if action.type is None or _takes(action.type, text)), "1")


def _takes(kind, text):
    try:
        kind(text)
    except argparse.ArgumentTypeError:
        return False
    return True


def written(action, value):
    """Return an argument as it is typed."""
    words = [value] if action.nargs != 0 else []
    return [*action.option_strings[-1:], *words]


def complete(name, without=None):
    """Return the required arguments of a command except one, with the first of each mutually exclusive group."""
    groups = [group._group_actions for group in parser(name)._mutually_exclusive_groups]
    required = [one for one in actions(name) if one.required]
    required += [members[0] for members in groups if without not in members]
    return list(chain(*(written(one, accepted(one)) for one in required if one is not without)))


def calls(name):
    """Yield invalid calls of a command, each with a description."""
    yield "nothing", []
    yield "an unknown option", ["--unknown"]
    yield "arguments too many", [*complete(name), "more", "and more"]
    for action in actions(name):
        label = action.option_strings[-1] if action.option_strings else action.dest
        others = complete(name, action)
        yield f"{label} of a study that does not exist", [*others, *written(action, accepted(action))]
        if others:
            yield f"{label} alone", written(action, accepted(action))
        if action.required:
            yield f"no {label}", others
        if action.nargs == 0:
            yield f"{label} with a value", [*others, f"{label}=x"]
            continue
        if action.option_strings:
            yield f"{label} without a value", [*others, label]
        for value in WRONG:
            yield f"{label}: {value[:9]!r}", [*others, f"{label}={value}" if action.option_strings else value]


@pytest.fixture(autouse=True)
def messages():
    """Do not compare the messages with snapshots, since they depend on the arguments of each command."""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("here.txt").write_text("text\n")
    (tmp_path / "no").mkdir()


@pytest.mark.parametrize("name", COMMANDS)
def test_an_invalid_call_is_reported_in_one_line_with_exit_code_2(folder, capsys, name):
    failures = []
    for reason, arguments in calls(name):
        try:
            code = main([name, *arguments])
        except SystemExit as end:
            code = end.code
        except Exception as error:  # a message with a traceback
            code = repr(error)
        captured = capsys.readouterr()
        if code != 2 or captured.err.count("\n") != 1 or captured.out:
            failures.append((reason, code, captured.err[:300], captured.out[:100]))
    assert failures == [], json.dumps(failures, indent=1)

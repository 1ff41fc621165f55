import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from configs import CONFIG
from hypothesis import given
from hypothesis import strategies as st

from gamtune.cli.main import main
from gamtune.config.load import read_for_workflow, read_raw
from gamtune.config.yaml_file import MAX_BYTES, parse_yaml
from gamtune.errors import InputError

CASES = Path(__file__).parents[1] / "cases"
SMALL = yaml.safe_dump(CONFIG, sort_keys=False)


def fault(text):
    """Return the error message of a YAML document, which must be one line."""
    with pytest.raises(InputError) as caught:
        parse_yaml(text, "c.yaml")
    assert len(caught.value.lines) == 1
    return caught.value.lines[0]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", "line 3: duplicate key 'a', first used in line 1"),
        ("x:\n  y: [{a: 1,\n     a: 2}]\n", "line 3: duplicate key 'a', first used in line 2"),
        ("'a': 1\na: 2\n", "line 2: duplicate key 'a'"),
        ("1: 1\n'1': 2\n", "line 2: duplicate key '1'"),
        ("a: &a {k: 1, k: 2}\nb: {<<: *a}\n", "line 1: duplicate key 'k'"),
        ("a: {<<: {k: 1}, <<: {l: 1}}\n", "line 1: duplicate key '<<'"),
        ("a: {<<: [{k: 1}, {k: 2}]}\n", "line 1: duplicate key 'k' in two of the mappings listed under <<"),
        ("a: {<<: 3}\n", "line 1: << expects a mapping"),
        (
            "b: 1\na: 2024-13-45\n",
            "line 2: '2024-13-45' is not a valid date; correct it, or put text in quotation marks",
        ),
        ("a: [2001-12-14t99:59:43.1Z]\n", "line 1: '2001-12-14t99:59:43.1Z' is not a valid date"),
        ("&k a: 1\n*k : 2\n", "line 2: duplicate key 'a'"),
        ("? [1]\n: 2\n", "line 1: a key must be text"),
        ("a: *b\n", "line 1: the alias '*b' does not refer to a complete anchor"),
        ("a: &a [*a]\n", "line 1: the alias '*a' does not refer to a complete anchor"),
        ("a: !!int abc\n", "line 1: the tag '!!int' is not supported"),
        ("a: !!python/object/apply:os.getcwd []\n", "line 1: the tag '!!python/object/apply:os.getcwd' is not"),
        ("a: !!binary aGk=\n", "line 1: the tag '!!binary' is not supported"),
        ("a: 1\n---\na: 2\n", "line 2: a second document begins here"),
        ("a: 1\n...\nb\n", "line 3, column 1: not valid YAML"),
        ("a:\n\tb: 1\n", "line 2, column 1: not valid YAML: a tab in the indentation; use spaces"),
        ("a: " + "9" * 6000, "line 1: got a number of 6000 digits"),
        ("a: " + "[" * 3000, "line 1: nested more than 30 levels deep"),
        ("a: \0", "not valid YAML: control characters are not allowed"),
        ('a: "\\ud800"', "line 1"),
    ],
)
def test_ambiguous_yaml_is_refused_with_its_line(text, line):
    assert fault(text).startswith(line)


@pytest.mark.parametrize("item", ["[{}]", "{{{}}}", "{{<<: [{}]}}"], ids=["lists", "mappings", "merges"])
def test_an_alias_bomb_is_refused_before_it_is_expanded(item):
    lines = ["a0: &a0 {k: 1}"]
    for level in range(1, 12):
        aliases = [f"*a{level - 1}"] * 9
        inside = (
            ", ".join(f"k{number}: {alias}" for number, alias in enumerate(aliases))
            if "{{{" in item
            else ", ".join(aliases)
        )
        lines.append(f"a{level}: &a{level} {item.format(inside)}")
    assert "including those of aliases" in fault("\n".join(lines)) or "duplicate key" in fault("\n".join(lines))


def test_scalars_follow_yaml_1_2():
    text = "[1:30, 010, 0x1F, 1_000, no, on, 2024-01-01, 1e-3, -.5, 3., ~, true, '1', !!str 1, .inf]"
    assert parse_yaml(text, "c") == [
        "1:30", "010", "0x1F", "1_000", "no", "on", "2024-01-01", 0.001, -0.5, 3.0, None, True, "1", "1",
        float("inf"),
    ]  # fmt: skip
    assert parse_yaml("{on: 1, 2: 3, null: 4}", "c") == {"on": 1, "2": 3, "null": 4}


def test_a_merge_key_adds_missing_keys():
    text = "a: &a {l1: 1, l2: 2}\nb: {<<: *a, l2: 3}\nc: {<<: [*a, {rho: 1}]}\n"
    assert parse_yaml(text, "c") == {
        "a": {"l1": 1, "l2": 2},
        "b": {"l1": 1, "l2": 3},
        "c": {"l1": 1, "l2": 2, "rho": 1},
    }


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(plain)
def test_json_is_read_as_json(value):
    text = json.dumps(value, ensure_ascii=False)
    if all(letter.isprintable() for letter in text):
        assert parse_yaml(text, "c") == value


@given(st.text(alphabet="ab:-{}[],&*!|>'\"%@`#? \n\t0123456789.<", max_size=60))
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(InputError):
        parse_yaml(text, "c")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff\xfea\0", "it is UTF-16 text; save it as UTF-8"),
        (bytes(range(256)), "it is not UTF-8 text"),
        (b" " * (MAX_BYTES + 1), "it is larger than 4 MiB"),
    ],
)
def test_a_binary_file_is_refused(tmp_path, content, reason):
    file = tmp_path / "c.yaml"
    file.write_bytes(content)
    with pytest.raises(InputError, match=reason):
        read_raw(str(file))


def test_devices_pipes_and_folders_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, reason in (
        ("/dev/zero", "not a regular file"),
        (tmp_path / "pipe", "not a regular file"),
        (tmp_path, "it is"),
    ):
        with pytest.raises(InputError, match=reason):
            read_raw(str(path))


def test_a_byte_order_mark_is_ignored(tmp_path):
    file = tmp_path / "c.yaml"
    file.write_text("study: a\n", encoding="utf-8-sig")
    assert read_raw(str(file)) == {"study": "a"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [('{"a": 1, "a": 2}', "duplicate key 'a'"), ("{", "line 1, column 2"), ("[" * 10**5, "nested"), ("[" * 99 + "]" * 99, "nested")],
)  # fmt: skip
def test_an_invalid_json_file_is_reported_in_one_line(tmp_path, text, problem):
    file = tmp_path / "c.json"
    file.write_text(text)
    with pytest.raises(InputError, match=problem):
        read_raw(str(file))


def test_the_workflow_reads_one_file_and_merges_the_values_of_the_command_line():
    files = [CASES / "33-two-configfiles" / name for name in ("a.yaml", "b.yaml")]
    with pytest.raises(InputError, match=r"got 2 config files, expected one"):
        read_for_workflow(files, files[0], {})
    with pytest.raises(InputError, match=r"Snakemake does not accept braces in the path of a workflow"):
        read_for_workflow([], Path("/a {b}/config/config.yaml"), {})
    changes = {"search": {"draws": "3"}, "training": {"l2": "1e-3"}, "study": "c"}
    content, source = read_for_workflow([], files[0], changes)
    assert source.endswith("a.yaml")
    assert content["search"] == {"strategy": "random", "draws": 3, "seed": 1}
    assert (content["study"], content["training"]["l2"], content["training"]["neurons"]) == ("c", 0.001, 8)
    with pytest.raises(InputError, match=r"line 26: duplicate key 'space', first used in line 10"):
        read_for_workflow([CASES / "32-yaml-key-twice" / "config.yaml"], files[0], {})


@pytest.mark.parametrize(
    ("section", "line"),
    [
        ("".join(f"key{number}: 1\n" for number in range(100_000)), "100000 unknown keys: key0, key1, key2 and 99997"),
        ("search: {strategy: random, draws: 1000000000}\n", "search.draws: got 1000000000, expected"),
        ("training: {" + ", ".join(f"k{number}: 1" for number in range(50_000)) + "}\n", "training: 50000 unknown keys"),
        ("space: {" + ", ".join(f"k{number}: 1" for number in range(50_000)) + "}\n", "space: 50000 unknown hyperparameters"),
    ],
    ids=["unknown keys", "draws", "unknown settings", "unknown hyperparameters"],
)  # fmt: skip
def test_a_huge_config_is_refused_in_one_line_soon_and_in_little_memory(tmp_path, section, line):
    file = tmp_path / "c.yaml"
    file.write_text(
        yaml.safe_dump({key: value for key, value in CONFIG.items() if not section.startswith(f"{key}:")}) + section
    )
    script = (
        "import resource, sys; from gamtune.cli.main import main; code = main(sys.argv[1:]);"
        "print(*open('/proc/self/status').read().split('VmHWM:')[1].split()[:1], resource.getrusage(0).ru_utime); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "check", str(file)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"{file}: {line}")
    assert (done.stderr.count("\n"), len(done.stderr) < 700) == (1, True)
    memory, seconds = map(float, done.stdout.split())
    assert memory < 300 * 1024  # kB
    assert seconds < 3


@pytest.mark.parametrize("value", [".inf", "-.inf", ".nan", "1e999"])
@pytest.mark.parametrize(
    "line",
    [
        "training: {l1: VALUE}", "training: {early_stopping: {min_delta: VALUE}}", "training: {seed: VALUE}",
        "space: {l1: {uniform: [0, VALUE]}}", "space: {l1: {beta: [VALUE, 1]}}", "space: {l1: {beta: [1, 1], scale: VALUE}}",
        "space: {rho: {normal: [0.9, VALUE], min: 0.5, max: 0.9}}", "space: {rho: {normal: [0.9, 1], min: 0.1, max: VALUE}}",
        "space: {l1: [VALUE]}", "space: {l1: {choice: [0, 1], when: {rho: VALUE}}}", "space: {neurons: [[VALUE]]}",
        "search: {strategy: random, draws: VALUE}", "search: {strategy: manual, rows: [{l1: VALUE}]}",
        "data: {source: digits, whiten: VALUE}", "data: {source: digits, validation: {fraction: VALUE}}",
        "selection: {rules: [by_hand], by_hand: {a: {l1: VALUE}}}", "selection: {confirm: {top: VALUE}}",
        "execution: {trials_per_gpu: VALUE}",
    ],
)  # fmt: skip
def test_a_number_that_is_not_finite_is_refused_for_every_key(tmp_path, capsys, line, value):
    section = line.partition(":")[0]
    file = tmp_path / "c.yaml"
    rest = {key: given for key, given in CONFIG.items() if key != section}
    file.write_text(yaml.safe_dump(rest) + line.replace("VALUE", value) + "\n")
    assert main(["check", str(file)]) == 2
    stderr = capsys.readouterr().err
    assert stderr.count("\n") == 1
    assert "inf" in stderr or "nan" in stderr


@pytest.mark.parametrize("value", ["true", "yes"])
@pytest.mark.parametrize("line", ["search: {strategy: random, draws: VALUE}", "space: {l1: {uniform: [0, VALUE]}}"])
def test_a_boolean_is_not_accepted_as_a_number(tmp_path, capsys, line, value):
    file = tmp_path / "c.yaml"
    rest = {key: given for key, given in CONFIG.items() if key != line.partition(":")[0]}
    file.write_text(yaml.safe_dump(rest) + line.replace("VALUE", value) + "\n")
    assert main(["check", str(file)]) == 2
    assert capsys.readouterr().err.count("\n") == 1

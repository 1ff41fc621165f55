"""The rules of the house, read from the imports themselves."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "workflow" / "gamtune"
FILES = sorted(path.relative_to(LIBRARY) for path in LIBRARY.rglob("*.py"))
# From the ground up; a room may import from itself and from rooms before it
FLOORS = [
    {"errors", "registry"},
    {"spec", "files", "environment", "interrupt", "parent", "numbers"},
    {"slots"},
    {"settings", "running", "tables", "runtime"},
    {"config"},
    {"space"},
    {"data"},
    {"training"},
    {"tracking"},
    {"analysis"},
    {"decision"},
    {"report"},
    {"plan"},
    {"prune"},
    {"cli"},
    {"__main__"},
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}


def imports(path):
    """Modules that a file imports, at whatever depth of its code."""
    for node in ast.walk(ast.parse((LIBRARY / path).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield node.module


def room(path):
    return path.parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=str)
def test_imports_point_downwards(path):
    for module in imports(path):
        if module.startswith("gamtune."):
            other = module.split(".")[1]
            assert other == room(path) or FLOOR[other] < FLOOR[room(path)], f"{path} imports {module}"


@pytest.mark.parametrize(
    ("package", "rooms"),
    [
        ("keras", {"training"}),
        ("tensorflow", {"training"}),
        ("mlflow", {"tracking"}),
        ("snakemake", set()),
        ("optuna", {"space"}),
    ],
)
def test_a_heavy_package_stays_in_its_room(package, rooms):
    users = {room(path) for path in FILES if any(module.split(".")[0] == package for module in imports(path))}
    assert users <= rooms


def test_package_files_are_empty():
    assert all((LIBRARY / path).read_text() == "" for path in FILES if path.name == "__init__.py")


def test_files_are_small():
    long = [str(path) for path in FILES if len((LIBRARY / path).read_text().splitlines()) > 500]
    assert long == []


def test_training_imports_the_spec_and_the_array_reader_alone():
    outside = {
        module
        for name in ("trial", "loop", "network", "scoring", "metrics")
        for module in imports(Path(f"training/{name}.py"))
        if module.startswith("gamtune.") and not module.startswith("gamtune.training.")
    }
    assert outside == {"gamtune.spec", "gamtune.data.arrays"}


def test_nothing_evaluates_text_or_loads_a_pickle():
    forbidden = re.compile(r"(^|[^.\w])eval\(|pickle\.load|shell=True|yaml\.load\(|allow_pickle=True")
    for path in [*FILES, *(ROOT / "workflow" / "rules").glob("*.smk"), ROOT / "Snakefile"]:
        assert not forbidden.search((LIBRARY / path).read_text()), path


def test_every_value_in_a_rules_command_is_quoted():
    numbers = {"resources.attempt", "wildcards.replicate", "params.seed", "params.replicates", "params.fold"}
    for path in (ROOT / "workflow" / "rules").glob("*.smk"):
        for value in re.findall(
            r"\{([a-zA-Z_.]+)(:q)?\}", "".join(re.findall(r'shell:\n((?:\s+".*"\n)+)', path.read_text()))
        ):
            assert value[1] == ":q" or value[0] in numbers, f"{path.name}: {value[0]}"

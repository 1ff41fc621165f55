"""Architecture rules in addition to the layers, which `lint-imports` checks."""

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "workflow" / "gamtune"
FILES = sorted(path.relative_to(LIBRARY) for path in LIBRARY.rglob("*.py"))


def imports(path):
    """Yield the modules that a file imports anywhere in its code."""
    for node in ast.walk(ast.parse((LIBRARY / path).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield node.module


def package_of(path):
    return path.parts[0].removesuffix(".py")


@pytest.mark.parametrize(
    ("package", "packages"),
    [
        ("keras", {"learners", "runtime", "serving"}),
        ("tensorflow", {"learners", "runtime", "serving"}),
        ("mlflow", {"tracking", "serving"}),
        ("snakemake", {"runtime"}),
        ("optuna", {"search"}),
    ],
)
def test_heavy_packages_are_imported_only_where_they_are_needed(package, packages):
    users = {package_of(path) for path in FILES if any(module.split(".")[0] == package for module in imports(path))}
    assert users <= packages


PUBLIC = {"gam"}  # packages whose names are exported


def test_package_files_are_empty_except_those_of_public_packages():
    written = {str(path.parent) for path in FILES if path.name == "__init__.py" and (LIBRARY / path).read_text()}
    assert written == PUBLIC


@pytest.mark.parametrize("package", sorted(PUBLIC))
def test_a_public_package_exports_its_names_and_imports_no_other_package(package):
    module = import_module(f"gamtune.{package}")
    assert all(getattr(module, name) for name in module.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        module.nothing  # noqa: B018
    others = {
        name
        for path in FILES
        if path.parts[0] == package
        for name in imports(path)
        if name.startswith("gamtune") and not name.startswith(f"gamtune.{package}.")
    }
    assert others == set()


MAX_LINES = 400


def test_no_file_of_the_library_or_the_tests_is_longer_than_400_lines():
    files = [*LIBRARY.rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    long = {str(path.relative_to(ROOT)) for path in files if len(path.read_text().splitlines()) > MAX_LINES}
    assert long == set()


def test_learners_import_few_other_modules():
    outside = {
        module
        for path in FILES
        if path.parts[0] == "learners"
        for module in imports(path)
        if module.startswith("gamtune.") and not module.startswith("gamtune.learners.")
    }
    assert outside == {
        "gamtune.data.arrays",
        "gamtune.errors",
        "gamtune.files",
        "gamtune.metrics.h2o",
        "gamtune.results.record",
        "gamtune.spec",
    }


def test_built_in_implementations_are_imported_only_through_their_registry():
    for extensions in ("search.distributions", "search.strategies"):
        folder = Path(*extensions.split("."))
        users = {
            path.as_posix()
            for path in FILES
            if folder not in path.parents
            and any(module.startswith(f"gamtune.{extensions}.") for module in imports(path))
        }
        assert users == set(), extensions


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

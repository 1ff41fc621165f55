"""Every path below results/ has one owner, `gamtune.results.layout`, and is described in results/README.md."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

from gamtune.results import layout
from gamtune.results.layout import File, Results, StudyFolder
from gamtune.results.record import STATE

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "workflow" / "gamtune"
NAME = re.compile(r"\.?\w+\.(csv|html|json|keras|npy|npz|txt)")

STUDY = StudyFolder(Path("results/wine"))
PLACES = [
    STUDY.data,
    STUDY.gam,
    STUDY.figures,
    STUDY.optimum,
    STUDY.optimum.figures,
    STUDY.trial("<trial>"),
    STUDY.stage("<stage>"),
    STUDY,
]


def texts(path):
    """Return the string literals of a module without its docstrings."""
    tree = ast.parse(path.read_text())
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


def names(path):
    """Return the file names in the literals of a module; a text with spaces is a message."""
    return [part for text in texts(path) if " " not in text for part in text.split("/") if NAME.fullmatch(part)]


OWNED = Counter(name for path in (LIBRARY / "results").glob("*.py") for name in names(path))


def test_each_file_name_is_written_once():
    assert OWNED.total() == len(OWNED)
    assert {"record.json", "summary.csv", "dataset.json", "captions.json"} <= set(OWNED)


def test_no_other_module_contains_the_name_of_a_result_file():
    others = {
        path.relative_to(LIBRARY).as_posix(): names(path)
        for path in LIBRARY.rglob("*.py")
        if path.parent.name != "results"
    }
    found = {(path, name) for path, written in others.items() for name in written if name in OWNED}
    assert found == set()


def test_no_other_module_joins_a_path_with_the_name_of_a_folder():
    folders = {
        "trials",
        "rounds",
        "rungs",
        "confirm",
        "final",
        "optimum",
        "selection",
        "gam",
        "figures",
        "data",
        "store",
    }
    found = {
        (path.relative_to(LIBRARY).as_posix(), node.right.value)
        for path in LIBRARY.rglob("*.py")
        if path.parent.name != "results"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and isinstance(node.right, ast.Constant)
    }
    assert {(path, name) for path, name in found if name in folders} == set()


@pytest.mark.parametrize("folder", PLACES, ids=lambda folder: str(folder.path))
def test_the_readme_describes_every_file(folder):
    headings = re.findall(r"^### `(.+)`$", (ROOT / "results" / "README.md").read_text(), flags=re.M)
    for kind in type(folder).__mro__:
        for member, value in vars(kind).items():
            path = STUDY.relative(getattr(folder, member)) if isinstance(value, File) else ""
            if path and not path.rpartition("/")[2].startswith((".", STATE)) and NAME.search(path):
                described = [re.compile(re.escape(heading).replace("<step>", ".+")) for heading in headings]
                assert any(heading.fullmatch(path) for heading in described) or path.endswith("/log.txt"), path


def test_paths_equal_those_in_the_readme_and_the_rules():
    study = Results(Path("results")).study("wine")
    paths = {
        "results/wine/trials/0123/record.json": study.trial("0123").record,
        "results/wine/trials/{trial}/model.keras": study.trial("{trial}").model,
        "results/wine/rounds/2/slots.csv": study.stage("rounds/2").slots,
        "results/wine/rungs/1/3/record.json": study.stage("rungs/1").slot(3).record,
        "results/wine/confirm/default/2/record.json": study.confirmation("default", 2).record,
        "results/wine/final/optimum/1/log.txt": study.final("optimum", 1).log,
        "results/wine/data/fold_2/x_train.npy": study.data.fold(2).array("x", "train"),
        "results/wine/data/dataset.json": study.data.fold(None).info,
        "results/wine/data/refit/preprocessing.json": study.data.refit.preprocessing,
        "results/wine/selection/selection.json": study.selection,
        "results/wine/optimum/weights/dense_kernel.csv": study.optimum.weight("dense/kernel"),
        "results/wine/optimum/figures/captions.json": study.optimum.figures.captions,
        "results/wine/figures/budget.png": study.figures.picture("budget"),
        "results/wine/config/ab12.json": study.step_config("ab12"),
        "results/wine/logs/data.txt": study.log("data"),
        "results/wine/tracking/synced.json": study.synced,
        "results/store": Results(Path("results")).store,
    }
    assert {str(path) for path in paths.values()} == set(paths)


def test_folders_of_trials_are_found_in_the_order_of_their_numbers(tmp_path):
    study = StudyFolder(tmp_path / "wine")
    for folder in (study.final("optimum", 10), study.final("optimum", 9), study.confirmation("b", 1), study.trial("a")):
        folder.path.mkdir(parents=True)
        folder.record.touch()
    (study.path / "logs").mkdir()
    assert study.finals() == [("optimum", "9"), ("optimum", "10")]
    assert study.confirmations() == [("b", "1")]
    assert [study.relative(record.parent) for record in study.records()] == [
        "confirm/b/1", "final/optimum/10", "final/optimum/9", "trials/a",
    ]  # fmt: skip
    Results(tmp_path).store.mkdir()
    assert Results(tmp_path).folders() == [study]


def test_reserved_study_names_are_those_of_the_shared_files():
    from gamtune.config.study import RESERVED

    assert {layout.STORE, Results(Path("results")).artifacts.name} < set(RESERVED)

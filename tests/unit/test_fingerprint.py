"""Changes of code that change its fingerprint, and changes that do not."""

import ast
import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from project import ROOT

from gamtune.files import replacing
from gamtune.runtime import fingerprint, source_cache
from gamtune.runtime.environment import LIBRARY
from gamtune.runtime.fingerprint import closure, code_fingerprint, with_versions
from gamtune.runtime.source_cache import SourceCache
from gamtune.runtime.syntax import read_source

GOLDEN = ROOT / "tests" / "golden" / "code"
STORED = sorted(GOLDEN.glob("*.txt"))
FILES = sorted(LIBRARY.rglob("*.py"))

EQUAL = {
    "a comment": ("x = 1", "# about x\nx = 1  # one"),
    "a docstring": ('def f():\n    "Do."\n    return 1', 'def f():\n    "Do it."\n    return 1'),
    "no docstring": ('def f():\n    "Do."\n    return 1', "def f():\n    return 1"),
    "a docstring in place of pass": ('class E(Exception):\n    "An error."', 'class E(Exception):\n    """Another."""'),
    "a text after an attribute": ('class C:\n    x = 1\n    "Its x."', "class C:\n    x = 1"),
    "quotes": ("x = 'a'", 'x = "a"'),
    "a text in two parts": ("x = 'a' 'b'", "x = 'ab'"),
    "an f-string in two parts": ("x = f'a{y}' 'b'", "x = f'a{y}b'"),
    "line breaks": ("f(a, b=[1, 2])", "f(\n    a,\n    b=[\n        1,\n        2,\n    ],\n)"),
    "brackets": ("x = a * b + c", "x = ((a * b) + c)"),
    "a number's notation": ("x = 1000; y = 0x10; z = 1e-3", "x = 1_000; y = 16; z = 0.001"),
    "a prefix": ("x = u'a'", "x = 'a'"),
    "a description": ("x = Field(1, description='One.')", "x = Field(1, description='It is ' + 'one.')"),
    "a description in a dict": ("x = {'a': 1, 'description': 'One.'}", "x = {'a': 1, 'description': 'It is one.'}"),
    "an import of type checkers": ("x = 1", "if TYPE_CHECKING:\n    import y\nx = 1"),
    "line endings": ("x = 1\ny = 2\n", "x = 1\r\ny = 2\r\n"),
}
DIFFERENT = {
    "a constant": ("x = 1", "x = 2"),
    "an integer and a float": ("x = 1", "x = 1.0"),
    "an integer and a boolean": ("x = 1", "x = True"),
    "text and bytes": ("x = 'a'", "x = b'a'"),
    "zero and minus zero": ("x = 0.0", "x = -0.0"),
    "an operator": ("x = a + b", "x = a - b"),
    "an order": ("x = 1; y = 2", "y = 2; x = 1"),
    "an order of arguments": ("f(a, b)", "f(b, a)"),
    "a default": ("def f(x=1): return x", "def f(x=2): return x"),
    "a decorator": ("def f(): return 1", "@cache\ndef f(): return 1"),
    "a returned text": ("def f():\n    return 'a'", "def f():\n    return 'b'"),
    "a computed description": ("f(description=one)", "f(description=other)"),
    "a text that is used": ("f('a')", "f('b')"),
    "an f-string and a text": ("x = f'{y}'", "x = '{y}'"),
    "a conversion": ("x = f'{y!r}'", "x = f'{y!s}'"),
    "another branch": ("if a:\n    b()", "if a:\n    pass\nelse:\n    b()"),
    "nested texts": ("x = ['a', 'b']", "x = ['a> <str 1 b']"),
    "an indentation": ("if a:\n    b()\n    c()", "if a:\n    b()\nc()"),
    "except and except*": ("try: a()\nexcept E: b()", "try: a()\nexcept* E: b()"),
    "an import": ("import a", "import b"),
}


@pytest.fixture
def library(tmp_path, monkeypatch):
    """Return a function that writes a library, given names and texts of its modules."""
    monkeypatch.setattr(fingerprint, "source_cache", lambda: SourceCache(tmp_path / "cache.json"))

    def write(**texts: str) -> Path:
        for name, text in {"__init__": "", **texts}.items():
            path = tmp_path / "gamtune" / (name.replace("__in__", "/") + ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            if not (path.parent / "__init__.py").exists():
                (path.parent / "__init__.py").write_text("")
        return tmp_path

    return write


@pytest.mark.parametrize(("one", "other"), EQUAL.values(), ids=EQUAL)
def test_comments_and_layout_do_not_change_the_fingerprint(one, other):
    assert read_source(one).fingerprint == read_source(other).fingerprint


@pytest.mark.parametrize(("one", "other"), DIFFERENT.values(), ids=DIFFERENT)
def test_a_change_of_behaviour_changes_the_fingerprint(one, other):
    assert read_source(one).fingerprint != read_source(other).fingerprint


@pytest.mark.parametrize("path", [*STORED, *FILES], ids=lambda path: path.name)
def test_a_reformatted_file_keeps_its_fingerprint(path):
    text = path.read_text()
    assert read_source(ast.unparse(ast.parse(text))) == read_source(text)


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.name)
def test_fingerprints_are_the_same_in_every_version_of_python(path):
    assert (
        read_source(path.read_bytes()).fingerprint == json.loads((GOLDEN / "fingerprints.json").read_text())[path.name]
    )


@given(st.from_type(int | float | str | bytes | bool | None), st.from_type(int | float | str | bytes | bool | None))
def test_different_constants_have_different_fingerprints(one, other):
    equal = read_source(f"x = {one!r}").fingerprint == read_source(f"x = {other!r}").fingerprint
    assert equal == (repr(one) == repr(other))


@pytest.mark.parametrize("path", FILES, ids=str)
def test_every_import_of_the_library_that_runs_is_found(path):
    waiting, expected = [ast.parse(path.read_text())], set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            expected.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            expected.add(node.module)
        waiting += ast.iter_child_nodes(node)
    assert expected <= set(read_source(path.read_bytes()).imports)


def test_a_touched_module_keeps_its_fingerprint():
    before = code_fingerprint("gamtune.learners.trial")
    (LIBRARY / "gamtune/learners/trial.py").touch()
    assert code_fingerprint("gamtune.learners.trial") == before
    assert code_fingerprint("gamtune.data.prepare") != before


def test_the_imports_of_a_source_are_found_at_any_depth():
    assert read_source((GOLDEN / "statements.txt").read_bytes()).imports == (
        "__future__", "__future__.annotations", "collections.abc", "collections.abc.Callable", "collections.abc.Iterable",
        "gamtune.files", "gamtune.files.read_json", "gamtune.files.write_text", "os.path", "sys",
    )  # fmt: skip
    assert read_source((GOLDEN / "descriptions.txt").read_bytes()).imports == (
        "gamtune", "gamtune.data.prepare", "gamtune.spec", "pydantic", "pydantic.Field", "typing", "typing.TYPE_CHECKING",
    )  # fmt: skip


def test_a_module_depends_on_what_it_imports_and_on_the_packages_that_this_runs(library):
    folder = library(
        a="from gamtune.b import f", b="import gamtune.p.c", p__in__c="C = 1", p__in____init__="import gamtune.d", d="D = 1", e="E = 1"
    )  # fmt: skip
    names = [path.relative_to(folder / "gamtune").as_posix() for path in closure("gamtune.a", folder)]
    assert names == ["__init__.py", "a.py", "b.py", "d.py", "p/__init__.py", "p/c.py"]


@pytest.mark.parametrize(
    ("name", "text", "same"),
    [
        ("b", "def f(): return 2", False),
        ("b", "def f():\n    'Return one.'\n    return 1", True),
        ("p__in____init__", "from gamtune.b import f", False),
        ("p__in____init__", "'A docstring.'", True),
        ("unrelated", "X = 1", True),
    ],
)
def test_the_code_of_a_module_is_that_of_its_closure(library, name, text, same):
    modules = {"a": "from gamtune.p import c\nimport gamtune.b", "b": "def f(): return 1", "p__in__c": "C = 1"}
    before = code_fingerprint("gamtune.a", library=library(**modules))
    assert (code_fingerprint("gamtune.a", library=library(**{**modules, name: text})) == before) is same


def test_modules_that_are_named_by_a_text_do_not_depend_on_each_other(library):
    modules = {"registry": "LEARNERS = {'svm': 'gamtune.svm:Svm'}", "svm": "X = 1", "mlp": "import gamtune.registry"}
    before = code_fingerprint("gamtune.mlp", library=library(**modules))
    assert code_fingerprint("gamtune.mlp", library=library(**modules | {"svm": "X = 2"})) == before


def test_a_moved_library_keeps_its_fingerprints(library, tmp_path):
    folder = library(a="X = 1")
    before = code_fingerprint("gamtune.a", library=folder)
    shutil.move(folder / "gamtune", tmp_path / "elsewhere" / "gamtune")
    assert code_fingerprint("gamtune.a", library=tmp_path / "elsewhere") == before


def test_an_upgraded_library_changes_the_code_fingerprint_of_trials(monkeypatch):
    versions = {"keras": "3.1", "numpy": "2.0"}
    monkeypatch.setattr(fingerprint, "_version", versions.__getitem__)
    before = with_versions("code", ("keras", "numpy"))
    assert with_versions("code", ("keras", "numpy")) == before
    versions["numpy"] = "2.1"
    assert with_versions("code", ("keras", "numpy")) != before


def test_the_code_fingerprint_covers_every_imported_library():
    import sys

    from gamtune.runtime.training_code import LIBRARIES

    imported = {
        name.partition(".")[0]
        for path in closure("gamtune.learners.trial")
        for name in read_source(path.read_bytes()).imports
    }
    assert imported - sys.stdlib_module_names - {"gamtune"} == set(LIBRARIES)


@pytest.mark.parametrize(
    "damage", [lambda text: "", lambda text: text[:-9], lambda text: text.replace('"a', '"b', 1), None]
)
def test_a_damaged_or_missing_cache_changes_no_fingerprint(tmp_path, damage):
    source = tmp_path / "a.py"
    source.write_text("import a\nX = 1")
    file = tmp_path / "cache.json"
    cache = SourceCache(file)
    expected = cache.source(source)
    cache.save()
    if damage:
        file.write_text(damage(file.read_text()))
    else:
        file.unlink()
    assert SourceCache(file).source(source) == expected == read_source(source.read_bytes())


def test_a_cached_source_is_not_parsed_again_and_an_edited_one_is(tmp_path, monkeypatch):
    source = tmp_path / "a.py"
    source.write_text("X = 1")
    cache = SourceCache(tmp_path / "cache.json")
    before = cache.source(source)
    cache.save()
    parsed = []
    monkeypatch.setattr(source_cache, "read_source", lambda text: parsed.append(text) or read_source(text))
    again = SourceCache(tmp_path / "cache.json")
    assert again.source(source) == before
    assert parsed == []
    with replacing(source) as part:
        part.write_text("X = 25")
    assert again.source(source) != before
    assert parsed == [b"X = 25"]


def test_an_unwritable_cache_is_ignored(tmp_path):
    (tmp_path / "file").write_text("")
    cache = SourceCache(tmp_path / "file" / "cache.json")
    (tmp_path / "a.py").write_text("X = 1")
    cache.source(tmp_path / "a.py")
    cache.save()


def test_unused_entries_are_removed_from_a_full_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(source_cache, "LIMIT", 2)
    file, source = tmp_path / "cache.json", tmp_path / "a.py"
    for number in range(3):
        source.write_text(f"X = {number}")
        cache = SourceCache(file)
        cache.source(source)
        cache.save()
    assert len(source_cache._load(file)) == 1

"""Registries of extension points: gamtune's own implementations, those of other packages, and their fingerprints."""

import sys

import pytest

from gamtune.config.distributions import DISTRIBUTIONS, Distribution
from gamtune.config.search import STRATEGIES, Search
from gamtune.registry import Implementation, Registry
from gamtune.runtime.fingerprint import code_fingerprint

BUILT_IN = {"root": "math:sqrt", "tree": "cmath:sqrt"}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A function that installs a package with entry points of a version."""

    def install(version="1.0", **points):
        information = tmp_path / f"other-{version}.dist-info"
        information.mkdir(parents=True)
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: other\nVersion: {version}\n")
        lines = "".join(f"{name} = {place}\n" for name, place in points.items())
        (information / "entry_points.txt").write_text(f"[gamtune.examples]\n{lines}")
        return information

    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return install


def test_an_implementation_of_another_package_is_found_by_its_name(package):
    package(cosine="math:cos")
    registry = Registry("gamtune.examples", BUILT_IN)
    assert registry.names() == ["root", "tree", "cosine"]
    assert "cosine" in registry
    assert "sine" not in registry
    assert registry.load("cosine")(0) == 1
    with pytest.raises(KeyError):
        registry.load("sine")


def test_another_package_cannot_replace_a_built_in_implementation(package):
    package(root="math:cos")
    registry = Registry("gamtune.examples", BUILT_IN)
    assert registry.names() == ["root", "tree"]
    assert registry.load("root")(9) == 3


def test_built_in_implementations_are_found_without_a_search_for_other_packages(monkeypatch):
    def fail(**_):
        raise AssertionError("searched for other packages")

    monkeypatch.setattr("gamtune.registry.entry_points", fail)
    registry = Registry("gamtune.examples", BUILT_IN)
    assert "root" in registry
    assert registry.load("root")(9) == 3
    assert [one.module for one in registry.implementations(["root"])] == ["math"]


def test_an_implementation_is_known_by_its_module_or_by_the_version_of_its_package(package):
    package(cosine="math:cos")
    registry = Registry("gamtune.examples", {"root": "math:sqrt"})
    assert registry.implementations() == [
        Implementation("gamtune.examples", "root", module="math"),
        Implementation("gamtune.examples", "cosine", package="other 1.0"),
    ]
    with pytest.raises(KeyError):
        registry.implementations(["sine"])


def test_a_step_depends_on_the_code_of_the_implementations_that_it_uses():
    alone = code_fingerprint("gamtune.search.propose")
    with_halving = code_fingerprint("gamtune.search.propose", implementations=STRATEGIES.implementations(["halving"]))
    with_tpe = code_fingerprint("gamtune.search.propose", implementations=STRATEGIES.implementations(["tpe"]))
    assert len({alone, with_halving, with_tpe}) == 3
    first, last = (STRATEGIES.implementations(names) for names in (["tpe", "halving"], ["halving", "tpe"]))
    both = [code_fingerprint("gamtune.search.propose", implementations=used) for used in (first, last)]
    assert both[0] == both[1] != with_tpe


def test_an_upgraded_package_changes_the_fingerprint_of_the_steps_that_use_it():
    one, same, other = (
        code_fingerprint("gamtune.search.propose", implementations=[Implementation("g", "n", package=package)])
        for package in ("other 1.0", "other 1.0", "other 1.1")
    )
    assert one == same != other


@pytest.mark.parametrize(("registry", "base"), [(STRATEGIES, Search), (DISTRIBUTIONS, Distribution)])
def test_every_built_in_implementation_describes_itself(registry, base):
    for name in registry.built_in:
        model = registry.load(name)
        assert issubclass(model, base)
        assert model.describe is not base.describe, name

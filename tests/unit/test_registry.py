"""Registries of extension points: gamtune's own implementations, those of other packages, and their fingerprints."""

import re
import sys
from importlib import import_module

import numpy as np
import pytest
from extensions import TOYS, blocks, configured, install

from gamtune.config.distributions import DISTRIBUTIONS, Distribution
from gamtune.config.search import STRATEGIES, Search
from gamtune.config.space_section import parse_space
from gamtune.errors import InputError
from gamtune.registry import Implementation, Registry
from gamtune.report.space_words import describe_space
from gamtune.runtime.fingerprint import code_fingerprint

BUILT_IN = {"root": "math:sqrt", "tree": "cmath:sqrt"}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Return a function that installs a version of a package with entry points."""

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


def test_an_implementation_is_identified_by_its_module_or_its_package_version(package):
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
def test_every_built_in_implementation_has_a_description(registry, base):
    for name in registry.built_in:
        model = registry.load(name)
        assert issubclass(model, base)
        assert model.describe is not base.describe, name


def test_the_examples_of_the_page_on_extensions_are_the_toys():
    assert blocks("python") == [(TOYS / f"toy_{name}.py").read_text() for name in ("distribution", "figure")]
    for group, name, attribute in re.findall(r'"gamtune\.(\w+)"\]\n\w+ = "(\w+):(\w+)"', "".join(blocks("toml"))):
        assert group in ("strategies", "distributions", "figures")
        assert hasattr(import_module(f"toys.{name}"), attribute)


def test_a_distribution_of_another_package_is_parsed_and_described_by_its_name(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*install(tmp_path), *sys.path])
    space = parse_space(configured()["space"])
    assert [distribution.name for distribution in space.values()] == ["triangular", "uniform"]
    assert space["l1"].unit(space["l1"].quantile(np.array([0.2]))[0]) == pytest.approx(0.2, abs=1e-4)
    words = describe_space({"l1": {"triangular": [0, 0.01], "per": None, "when": None}})[0]
    assert (words.distribution, words.range) == ("triangular, most likely in the middle", "0 to 0.01")
    package = DISTRIBUTIONS.implementations(["triangular"])
    assert package == [Implementation("gamtune.distributions", "triangular", package="toys 1.0")]
    for raw, line in (
        ({"triangular": [1, 0]}, ".l1.triangular: got [1, 0], the low end must be below the high end"),
        ({"triangular": [-1, 0]}, ".l1: reaches from -1 to 0, but l1 is a number of at least 0"),
        ({"triangula": [0, 1]}, ".l1.triangula: unknown distribution, did you mean 'triangular'?"),
        ({"triangular": [0, 1], "mode": 1}, ".l1.mode: unknown key, expected one of per, when, triangular"),
    ):
        with pytest.raises(InputError) as caught:
            parse_space({"l1": raw})
        assert caught.value.lines == [line]

"""The files of the project are consistent."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ENVIRONMENTS = sorted((ROOT / "envs").glob("*.yaml"))


def locked(python):
    """Return the versions in requirements.lock by package, for one Python version."""
    versions = {}
    for name, version, marker in re.findall(
        r"^([\w.-]+)==([^\s;\\]+)(?: ; (.*?))? \\$", (ROOT / "requirements.lock").read_text(), re.M
    ):
        bound = re.search(r"python_full_version (<|>=) '3\.(\d+)'", marker)
        if bound is None or (python < int(bound[2])) == (bound[1] == "<"):
            versions[name] = version
    return versions


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.name)
def test_a_conda_environment_has_the_versions_of_the_lock(path):
    environment = yaml.safe_load(path.read_text())
    python = next(item for item in environment["dependencies"] if isinstance(item, str) and item.startswith("python="))
    pins = dict(
        pin.split("==") for item in environment["dependencies"] if isinstance(item, dict) for pin in item["pip"]
    )
    versions = locked(int(python.split(".")[1]))
    assert pins == {name: versions[name] for name in pins}
    assert set(pins) == {re.match(r"[\w-]+", dependency)[0] for dependency in PROJECT["dependencies"]}


def test_every_package_of_the_lock_has_hashes():
    text = (ROOT / "requirements.lock").read_text()
    assert len(re.findall(r"^[\w.-]+==.*\\\n +--hash=sha256:", text, re.M)) == len(
        re.findall(r"^[\w.-]+==", text, re.M)
    )


def test_every_dependency_has_a_reason():
    text = (ROOT / "pyproject.toml").read_text()
    for dependency in PROJECT["dependencies"]:
        assert re.search(rf'"{re.escape(dependency)}",  # \w', text), dependency


def test_no_file_contains_a_registry_address_or_a_machine_specific_path():
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    found = [
        f"{name}: {line}"
        for name in files
        if (ROOT / name).suffix not in (".png", ".svg") and (ROOT / name).is_file()
        for line in (ROOT / name).read_text().splitlines()
        if re.search(r"--(extra-)?index-url|--find-links|https?://\S+/simple\b|(^|[\s\"'=])/(home|root|work)/", line)
    ]
    assert [line for line in found if "test_project.py" not in line] == []


def test_the_citation_has_the_version_of_the_project():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]

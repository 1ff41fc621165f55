"""The extensions in tests/toys as a package that is installed with the entry points of docs/extending.md."""

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml
from project import ROOT

TOYS = ROOT / "tests" / "toys"
PAGE = ROOT / "docs" / "extending.md"


def blocks(language: str) -> list[str]:
    """Return the code blocks of a language in docs/extending.md."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)


def configured() -> dict[str, Any]:
    """Return the sections of a config that the page shows."""
    return {name: section for block in blocks("yaml") for name, section in yaml.safe_load(block).items()}


def install(folder: Path, version: str = "1.0") -> list[str]:
    """Install the toys as pip would; return the folders of the search path on which they are found."""
    information = folder / f"toys-{version}.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: toys\nVersion: {version}\n")
    lines = []
    for block in blocks("toml"):
        for group, points in tomllib.loads(block)["project"]["entry-points"].items():
            lines += [f"[{group}]", *(f"{name} = {place}" for name, place in points.items())]
    (information / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return [str(folder), str(TOYS), str(ROOT / "workflow")]

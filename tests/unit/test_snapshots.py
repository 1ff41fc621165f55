"""All texts and figures of a finished study, compared with snapshots.

Update the snapshots with `pytest tests/unit --snapshot-update` and review the difference.
"""

import argparse
import json
import re
from contextlib import chdir
from dataclasses import dataclass
from html.parser import HTMLParser
from importlib import import_module
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from stored import STUDIES, analyse, copy_study
from syrupy.extensions.image import PNGImageSnapshotExtension

from gamtune.cli.commands import COMMANDS
from gamtune.config.load import read_study
from gamtune.tracking import records
from gamtune.tracking.run_content import NOTE, record_content, study_content
from gamtune.tracking.study import TrackedStudy

CONFIG = "study.yaml"
TOLERANCE = 2.0  # root mean square of the difference, of 255; a line that moves by a pixel stays below
REDUCED = 2  # factor by which the stored figures are smaller
TEXTS = ("gam/summary.txt", "gam/warnings.txt", "figures/captions.json", "optimum/figures/captions.json")
BLOCKS = {"p", "li", "tr", "dt", "dd", "h1", "h2", "h3", "figcaption", "summary", "pre", "table", "div", "section"}


@dataclass(frozen=True)
class Analysed:
    """A stored study after all steps from the summary to the report."""

    name: str
    folder: Path
    terminal: str

    def path(self, relative: str) -> Path:
        """Return a path in its results."""
        return self.folder / "results" / self.name / relative


@pytest.fixture(scope="module", params=STUDIES)
def analysed(request, tmp_path_factory):
    """Return a stored study, analysed once for all tests."""
    folder = tmp_path_factory.mktemp("stored")
    copy_study(request.param, folder)
    with chdir(folder):
        return Analysed(request.param, folder, analyse(CONFIG))


class _Words(HTMLParser):
    """Text of a page, with one line per block."""

    def __init__(self) -> None:
        super().__init__()
        self.lines = [""]
        self.hidden = False

    def handle_starttag(self, tag, attributes):
        self.hidden = self.hidden or tag in ("style", "svg")
        if tag in BLOCKS:
            self.lines.append("")
        elif tag in ("td", "th"):
            self.lines[-1] += " | "

    def handle_endtag(self, tag):
        if tag in ("style", "svg"):
            self.hidden = False

    def handle_data(self, data):
        if not self.hidden:
            self.lines[-1] += data


def words_of(page):
    """Return the visible text of a page, without its figures."""
    parser = _Words()
    parser.feed(page)
    lines = (re.sub(r"\s+", " ", line).strip() for line in parser.lines)
    return "\n".join(line for line in lines if line)


@pytest.mark.parametrize("file", TEXTS)
def test_texts_of_the_analysis_equal_the_snapshots(analysed, file, snapshot):
    text = analysed.path(file).read_text()
    assert (json.loads(text)["captions"] if file.endswith(".json") else text) == snapshot


def test_the_report_equals_the_snapshot(analysed, snapshot):
    assert words_of(analysed.path("report.html").read_text()) == snapshot


def test_the_terminal_output_equals_the_snapshot(analysed, snapshot):
    assert analysed.terminal == snapshot


def test_descriptions_in_mlflow_equal_the_snapshot(analysed, snapshot):
    with chdir(analysed.folder):
        study = TrackedStudy.of(read_study(CONFIG), Path("results"), None)
        found = records.read_study(study, None)
        contents = [record_content(record, study, found.varying, "#/experiments/1") for record in found.runs]
        own = study_content(study)
    texts = {(content.role, re.sub("[0-9a-f]{12}", "ID", content.tags[NOTE])) for content in [*contents, own]}
    assert sorted(texts) == snapshot


class _Figures(PNGImageSnapshotExtension):
    """Images that are equal up to `TOLERANCE`."""

    def matches(self, *, serialized_data, snapshot_data):
        one, other = (np.asarray(Image.open(BytesIO(data)), float) for data in (serialized_data, snapshot_data))
        return one.shape == other.shape and np.sqrt(np.mean((one - other) ** 2)) <= TOLERANCE


@pytest.mark.parametrize("place", ["figures", "optimum/figures"])
def test_the_figures_look_as_stored(analysed, place, snapshot):
    figures = sorted(analysed.path(place).glob("*.png"))
    assert figures
    for figure in figures:
        reduced = BytesIO()
        with Image.open(figure) as image:
            image.convert("RGB").reduce(REDUCED).quantize(64).convert("RGB").save(reduced, "PNG", optimize=True)
        assert reduced.getvalue() == snapshot(name=figure.stem, extension_class=_Figures)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_equals_the_snapshot(command, snapshot):
    parser = argparse.ArgumentParser()
    module, description = COMMANDS[command]
    import_module(module).add_arguments(parser)
    # The formatted help is not compared, because its layout depends on the version of Python
    arguments = {
        " ".join(action.option_strings) or action.metavar or action.dest: action.help
        for action in parser._actions
        if action.dest != "help"
    }
    assert {"": description, **arguments} == snapshot

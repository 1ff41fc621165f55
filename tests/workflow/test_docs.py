"""The documentation shows what the commands that it names print."""

import re

import pytest
from project import PYTHON_FOLDER, ROOT

pytestmark = pytest.mark.workflow


def test_the_rule_graph_of_the_architecture_page_is_that_of_the_default_study(new_project):
    page = (ROOT / "docs" / "architecture.md").read_text()
    command = re.search(r"`snakemake (--rulegraph .+?)`", page, re.DOTALL)[1].split()
    done = new_project.call(str(PYTHON_FOLDER / "snakemake"), "--snakefile", str(ROOT / "Snakefile"), *command)
    assert done.code == 0, done.output
    rules = dict(re.findall(r"(id\d+)\[(\w+)\]", done.output))
    edges = {(rules[one], rules[other]) for one, other in re.findall(r"(id\d+) --> (id\d+)", done.output)}
    assert set(re.findall(r"^    (\w+) --> (\w+)$", page, re.MULTILINE)) == edges

"""The code blocks of docs/gam.md run and print what the page shows."""

import io
import re
from contextlib import chdir, redirect_stdout

import matplotlib as mpl
import pytest
from project import ROOT

PAGE = ROOT / "docs" / "gam.md"
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_the_page_about_the_engine_runs_and_prints_what_it_shows():
    mpl.use("Agg")
    names: dict = {}
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert len(blocks) == 6
    for code, shown in blocks:
        printed = io.StringIO()
        with chdir(ROOT), redirect_stdout(printed):
            exec(compile(code, PAGE.name, "exec"), names)
        if shown:
            assert printed.getvalue() == shown

"""A fixture that compares every error message that a unit test provokes with the stored one."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from project import ROOT
from syrupy.assertion import SnapshotAssertion

from gamtune.errors import InputError, StepError
from gamtune.gam import GamError

# What differs between two runs of the tests
VARYING = {
    r"BASE/[^/:\s']+": "TMP",  # the folder of a test
    re.escape(str(ROOT)): "ROOT",
    r"127\.0\.0\.1:\d{4,}": "127.0.0.1:PORT",
    r"PID \d+ on [^,]+, since [-\d]+ [:\d]+\+00:00": "PID 1 on HOST, since TIME",
}


@pytest.fixture(autouse=True)
def messages(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    snapshot: SnapshotAssertion,
) -> Iterator[None]:
    """Compare the messages for users that a test provokes with the stored ones, but for the examples of Hypothesis."""
    said: list[str] = []
    for kind in (InputError, StepError, GamError):
        monkeypatch.setattr(kind, "__init__", _noting(said, kind.__init__))
    yield
    if said and request.path.parent.name == "unit" and not getattr(request.function, "is_hypothesis_test", False):
        assert _told(said, tmp_path_factory.getbasetemp()) == snapshot(name="messages")


def _noting(said, before):
    def noting(self, *arguments, **options):
        before(self, *arguments, **options)
        if isinstance(self, InputError):  # whole, where a user sees the beginning and the end of a long line
            said.extend(f"{self.source}: {line}" if self.source else line for line in self.lines)
        else:
            said.append(str(self))

    return noting


def _told(said: list[str], base: Path) -> list[str]:
    """The messages as they reach a user: without those that others repeat with the file in which they were found."""
    told = [text for text in dict.fromkeys(said) if not any(o != text and o.endswith(text) for o in said)]
    for pattern, name in VARYING.items():
        told = [re.sub(pattern.replace("BASE", re.escape(str(base))), name, text) for text in told]
    return told

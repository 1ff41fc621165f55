"""A fixture that compares the error messages of a unit test with the snapshots."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from project import ROOT
from syrupy.assertion import SnapshotAssertion

from gamtune.errors import InputError, StepError
from gamtune.gam import GamError

# Parts of messages that differ between two runs of the tests
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
    """Compare the error messages of a test with the snapshots, except in tests with Hypothesis."""
    texts: list[str] = []
    for kind in (InputError, StepError, GamError):
        monkeypatch.setattr(kind, "__init__", _noting(texts, kind.__init__))
    yield
    if texts and request.path.parent.name == "unit" and not getattr(request.function, "is_hypothesis_test", False):
        assert _messages_of(texts, tmp_path_factory.getbasetemp()) == snapshot(name="messages")


def _noting(texts, before):
    def noting(self, *arguments, **options):
        before(self, *arguments, **options)
        if isinstance(self, InputError):  # the full text, although users see long lines shortened
            texts.extend(f"{self.source}: {line}" if self.source else line for line in self.lines)
        else:
            texts.append(str(self))

    return noting


def _messages_of(texts: list[str], base: Path) -> list[str]:
    """Return the messages that users see, without those that are repeated with the name of the file."""
    seen = [text for text in dict.fromkeys(texts) if not any(o != text and o.endswith(text) for o in texts)]
    for pattern, name in VARYING.items():
        seen = [re.sub(pattern.replace("BASE", re.escape(str(base))), name, text) for text in seen]
    return seen

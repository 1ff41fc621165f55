"""Benchmarks that require no other tools run without errors; their numbers are not checked."""

import sys

import pytest

pytestmark = pytest.mark.workflow


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (["no_op.py", "--trials", "20", "--repeats", "1"], "20 trials, no changes: "),
        pytest.param(["trial_cost.py", "--repeats", "1"], "workers: ", marks=pytest.mark.long),
        (["scale.py", "--trials", "20", "--repeats", "1"], "20 trials, summary of all records: "),
        (["phases.py", "--repeats", "1"], "| scoring | "),
        pytest.param(["tracking.py", "--trials", "8", "--kills", "2"], "| killed after |", marks=pytest.mark.long),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_benchmark_prints_its_results(root, finished_once, script, expected):
    done = finished_once.call(sys.executable, str(root / "tests" / "benchmarks" / script[0]), *script[1:])
    assert done.code == 0, done.output
    assert expected in done.output

"""Benchmarks without further requirements run; their results are not checked."""

import sys

import pytest

pytestmark = pytest.mark.workflow


@pytest.mark.parametrize(
    ("script", "says"),
    [
        (["no_op.py", "--rows", "20", "--repeats", "1"], "20 rows, nothing to do: "),
        pytest.param(["row_cost.py", "--repeats", "1"], "warm trainer: ", marks=pytest.mark.long),
        (["scale.py", "--rows", "20", "--repeats", "1"], "20 rows, summary of all records: "),
        (["phases.py", "--repeats", "1"], "| scoring | "),
        pytest.param(["tracking.py", "--rows", "8", "--kills", "2"], "| killed after |", marks=pytest.mark.long),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_benchmark_prints_its_results(root, finished_once, script, says):
    done = finished_once.call(sys.executable, str(root / "tests" / "benchmarks" / script[0]), *script[1:])
    assert done.code == 0, done.output
    assert says in done.output

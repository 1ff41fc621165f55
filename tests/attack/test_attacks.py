"""A short run of every attack; ``make attack`` runs more cases.

Each attack runs in a separate process. The attacks fork children that use TensorFlow, which would hang in a process where
another test has used TensorFlow.
"""

import subprocess
import sys

import pytest
from project import ROOT

from attack.run import ATTACKS

SEED = 20
SHORT = {
    "storm": ["--case", f"gam/{SEED}/0/1"],
    "damage": ["--case", f"truncated/{SEED}/results/small/summary.csv"],
    "tables": ["--number", "16"],
    "configs": ["--number", "12"],
}


@pytest.mark.parametrize("attacks", [("storm", "damage"), ("tables",), ("configs",)], ids="-".join)
def test_a_short_attack_finds_no_fault(attacks, tmp_path):
    for attack in attacks:  # in one folder, so that both use the same undisturbed study
        command = [sys.executable, "-m", "attack", attack, *SHORT[attack], "--seed", str(SEED), "--workers", "1"]
        done = subprocess.run(
            [*command, "--folder", tmp_path], cwd=ROOT / "tests", text=True, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert " 0 tried" not in done.stdout


def test_every_attack_has_a_short_run():
    assert SHORT.keys() == ATTACKS.keys()

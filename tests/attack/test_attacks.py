"""A short run of every attack; ``make attack`` runs the long one.

Each attack is a process of its own. The attacks fork children that use TensorFlow, and these would wait for ever in a
process where another test has used it.
"""

import subprocess
import sys

import pytest
from project import ROOT

from attack.run import ATTACKS

SEED = 20
NUMBERS = {"storm": 1, "damage": 1, "tables": 24, "configs": 16}
CASES = {"damage": f"truncated/{SEED}/results/small/summary.csv"}  # the only case of a short run


@pytest.mark.parametrize("attack", NUMBERS)
def test_gamtune_withstands_a_short_attack(attack, tmp_path):
    command = [sys.executable, "-m", "attack", attack, "--seed", SEED, "--workers", 1, "--folder", tmp_path]
    command += ["--case", CASES[attack]] if attack in CASES else ["--number", NUMBERS[attack]]
    done = subprocess.run([*map(str, command)], cwd=ROOT / "tests", text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 tried" not in done.stdout


def test_every_attack_has_a_short_run():
    assert NUMBERS.keys() == ATTACKS.keys()

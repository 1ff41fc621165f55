"""A short run of every attack; ``make attack`` runs the long one."""

import pytest

from attack.run import ATTACKS, repeat, run

SEED = 20
NUMBERS = {"storm": 1, "damage": 1, "tables": 24, "configs": 30}
CASES = {"damage": f"truncated/{SEED}/results/small/summary.csv"}  # the only case of a short run


@pytest.mark.parametrize("attack", NUMBERS)
def test_gamtune_withstands_a_short_attack(attack, tmp_path):
    verdicts = list(run(attack, NUMBERS[attack], SEED, 1, tmp_path, CASES.get(attack)))
    failed = [
        f"{verdict.case}: {verdict.fault}: {verdict.detail}\n{repeat(attack, verdict.case)}"
        for verdict in verdicts
        if verdict.fault
    ]
    assert failed == []
    assert sum(verdict.tries for verdict in verdicts) > 0


def test_every_attack_has_a_short_run():
    assert NUMBERS.keys() == ATTACKS.keys()

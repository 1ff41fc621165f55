"""``python -m attack``: run the attacks and print how many cases passed.

Every failure is printed with the command that repeats it; the exit code is 1 if there was any.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from attack.run import ATTACKS, repeat, run
from attack.verdict import summary

PAUSE = 60  # seconds between two lines of progress
# More than the 200 kills, 300 tables and 500 configs that count: some meet nothing to kill or leave a config as it was
LONG = {"storm": 208, "damage": 250, "tables": 300, "configs": 530}


def main() -> int:
    """Run the attacks that the command line names; all of them by default."""
    parser = argparse.ArgumentParser(
        prog="python -m attack", description="Attack gamtune, and count what it withstood."
    )
    parser.add_argument("attack", nargs="*", metavar="ATTACK", help=f"of {', '.join(ATTACKS)}; by default all")
    parser.add_argument("--number", type=int, help="cases of each attack instead of its usual number")
    parser.add_argument("--seed", type=int, default=1, help="of the cases (default 1)")
    parser.add_argument("--case", help="run this case alone and keep its folder")
    parser.add_argument("--workers", type=int, default=2, help="cases at a time (default 2)")
    parser.add_argument("--folder", type=Path, help="where the cases work; by default a temporary folder")
    options = parser.parse_args()
    if options.folder is not None:
        return attack(options, options.folder)
    with tempfile.TemporaryDirectory(prefix="attack-", ignore_cleanup_errors=True) as folder:
        return attack(options, Path(folder))


def attack(options: argparse.Namespace, folder: Path) -> int:
    """Run the attacks in a folder, print what failed and what passed, and return the exit code."""
    failed = False
    for name in options.attack or ATTACKS:
        begun = time.monotonic()
        number = options.number or LONG[name]
        verdicts, reported = [], begun
        for verdict in run(name, number, options.seed, options.workers, folder, options.case):
            verdicts.append(verdict)
            if verdict.fault:
                failed = True
                print(
                    f"FAILED {verdict.case}: {verdict.fault}: {verdict.detail}\n  {repeat(name, verdict.case)}",
                    flush=True,
                )
            elif time.monotonic() > reported + PAUSE:
                reported = time.monotonic()
                print(f"... {summary(name, verdicts, reported - begun)}", flush=True)
        print(summary(name, verdicts, time.monotonic() - begun), flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

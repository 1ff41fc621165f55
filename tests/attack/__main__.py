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
# More than the required 200 kills, 300 tables and 500 configs, because some runs end before the kill and some mutations
# do not change the config
LONG = {"storm": 208, "damage": 250, "tables": 300, "configs": 530}


def main() -> int:
    """Run the attacks that are listed on the command line, by default all."""
    usual = ", ".join(f"{number} for {name}" for name, number in LONG.items())
    parser = argparse.ArgumentParser(
        prog="python -m attack", description="Attack gamtune, and count the cases that pass."
    )
    parser.add_argument(
        "attack", nargs="*", metavar="ATTACK", help=f"attacks to run: {', '.join(ATTACKS)} (default: all)"
    )
    parser.add_argument("--number", type=int, help=f"number of cases per attack (default: {usual})")
    parser.add_argument("--seed", type=int, default=1, help="random seed of the cases (default: 1)")
    parser.add_argument("--case", help="run only this case and keep its folder")
    parser.add_argument("--workers", type=int, default=2, help="number of cases that run at the same time (default: 2)")
    parser.add_argument("--folder", type=Path, help="folder of the cases (default: a temporary folder)")
    options = parser.parse_args()
    if options.folder is not None:
        return attack(options, options.folder)
    with tempfile.TemporaryDirectory(prefix="attack-", ignore_cleanup_errors=True) as folder:
        return attack(options, Path(folder))


def attack(options: argparse.Namespace, folder: Path) -> int:
    """Run the attacks in a folder, print the failures and a summary, and return the exit code."""
    failed = False
    for name in options.attack or ATTACKS:
        start = time.monotonic()
        number = options.number or LONG[name]
        verdicts, reported = [], start
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
                print(f"... {summary(name, verdicts, reported - start)}", flush=True)
        print(summary(name, verdicts, time.monotonic() - start), flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

"""Measure the CPU time of the default study, of all processes together, in this checkout and optionally in others.

    git worktree add ../earlier COMMIT
    .venv/bin/python tests/benchmarks/study_cost.py --other ../earlier --repeats 3

The checkouts alternate. The time of the epochs is estimated from the histories in the records: the number of epochs of a
trial times the median time between two epochs. All other time is overhead: Snakemake, start of processes, building of
graphs, scoring, MLflow, analysis, figures and report.
"""

import argparse
import itertools
import json
import sys
import tempfile
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent))
from measure import measure, spread

CHECKOUT = Path(__file__).parents[2]


def epoch_seconds(results: Path) -> float:
    """Return the seconds of all epochs of all trials in a folder of results."""
    total = 0.0
    for path in (results / "store").glob("*/record.json"):
        ends = json.loads(path.read_text())["history"]["time"]
        total += median([end - start for start, end in itertools.pairwise(ends)] or [0.0]) * len(ends)
    return total


def study_cost(checkout: Path, config: Path, cores: int) -> tuple[float, float, float]:
    """Return the seconds, the CPU seconds and the CPU seconds beyond the epochs of a new run of a study."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        command = [Path(sys.executable).with_name("snakemake"), "--cores", cores, "--directory", folder]
        command += ["--snakefile", checkout / "Snakefile", "--configfile", config]
        cost = measure([str(part) for part in command], Path(folder), {})
        return cost.seconds, cost.cpu_seconds, cost.cpu_seconds - epoch_seconds(Path(folder) / "results")


def main() -> None:
    """Measure, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--other", type=Path, nargs="*", default=[], help="folders of other checkouts")
    parser.add_argument(
        "--config", type=Path, default=Path("config/config.yaml"), help="config, relative to a checkout"
    )
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    checkouts = [CHECKOUT, *(folder.resolve() for folder in options.other)]
    found: dict[Path, list[tuple[float, float, float]]] = {checkout: [] for checkout in checkouts}
    for _ in range(options.repeats):
        for checkout in checkouts:
            found[checkout].append(study_cost(checkout, checkout / options.config, options.cores))
            print(checkout, *(f"{value:.1f}" for value in found[checkout][-1]), file=sys.stderr, flush=True)
    print("| checkout | seconds | CPU seconds | CPU seconds beyond the epochs |\n| --- | --- | --- | --- |")
    for checkout, costs in found.items():
        print(f"| {checkout.name} | " + " | ".join(spread(values, 1) for values in zip(*costs, strict=True)) + " |")
    for other in checkouts[1:]:
        pairs = list(zip(found[CHECKOUT], found[other], strict=True))
        ratios = [spread([mine[k] / theirs[k] for mine, theirs in pairs], 2) for k in range(3)]
        print(f"| this / {other.name} | " + " | ".join(ratios) + " |")


if __name__ == "__main__":
    main()

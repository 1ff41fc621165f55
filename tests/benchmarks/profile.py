"""Measure the share of CPU time of each process of a study with py-spy.

.venv-benchmark/bin/python tests/benchmarks/profile.py --trials 20
"""

import argparse
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from no_op import SNAKEMAKE, command, configure

SAMPLES_PER_SECOND = 50


def kind(process: str) -> str:
    """Return the kind of a process, given its command line."""
    if "gamtune.runtime.server" in process:
        return "server of workers and its trials"
    step = re.search(r"-m gamtune (\w+)", process)
    return f"step {step[1]}" if step else "Snakemake"


def main() -> None:
    """Measure, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        configure(folder, options.trials)
        sampler = [SNAKEMAKE.with_name("py-spy"), "record", "--subprocesses", "--format", "raw"]
        sampler += ["--rate", SAMPLES_PER_SECOND, "--output", folder / "samples.txt", "--"]
        subprocess.run([*map(str, sampler), *command(folder)], capture_output=True, check=True)
        samples: Counter[str] = Counter()
        for line in (folder / "samples.txt").read_text().splitlines():
            stack, count = line.rsplit(" ", 1)
            samples[kind(re.findall(r"process \d+:([^;]*)", stack)[-1])] += int(count)
    for process, count in samples.most_common():
        print(f"{count / samples.total():6.1%} {process}")


if __name__ == "__main__":
    main()

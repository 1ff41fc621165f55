"""Train many tiny networks for one epoch, and compare the CPU time per trial at the beginning and at the end.

    .venv/bin/python tests/benchmarks/many_trials.py --trials 5000

Nothing else should run, because the CPU time is that of the whole machine. The memory of Snakemake is its resident set
size; that of a worker is its memory without shared pages and files.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
SNAKEMAKE = Path(sys.executable).with_name("snakemake")
STUDY = {
    "study": "many",
    "data": {"source": "digits"},
    "search": {"strategy": "random", "draws": 100, "seed": 1},
    "space": {
        "depth": {"integer": [1, 3]},
        "neurons": {"integer": [4, 40], "per": "depth"},
        "l1": {"uniform": [1e-6, 1e-3]},
        "hidden_dropout": {"uniform": [0.01, 0.5], "per": "depth"},
    },
    "training": {"epochs": 1, "batch_size": 256},
    "selection": {"confirm": {"top": 1, "replicates": 1}},
}


def cpu_seconds() -> float:
    """Return the CPU seconds that all processes of the machine have used."""
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    return (sum(fields[:3]) + sum(fields[5:8])) / os.sysconf("SC_CLK_TCK")


def megabytes(pid: int, *names: str) -> float:
    """Return the sum of entries of the memory map of a process, in megabytes; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith(names)) / 1024


def children(pid: int) -> list[int]:
    """Return the child processes of a process."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def per_trial(samples: list[tuple[int, float]], first: int, last: int) -> float:
    """Return the CPU seconds per trial between two numbers of finished trials."""
    begin = next(sample for sample in samples if sample[0] >= first)
    end = next(sample for sample in samples if sample[0] >= last)
    return (end[1] - begin[1]) / (end[0] - begin[0])


def main() -> None:
    """Measure, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=5000)
    parser.add_argument("--cores", type=int, default=2)
    options = parser.parse_args()
    part = options.trials // 10
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        STUDY["search"]["draws"] = options.trials
        (folder / "config.yaml").write_text(yaml.safe_dump(STUDY, sort_keys=False))
        command = [SNAKEMAKE, "--snakefile", ROOT / "Snakefile", "--directory", folder, "--cores", options.cores]
        command += ["--configfile", folder / "config.yaml", "--until", "summarise"]
        started = time.perf_counter()
        with (folder / "log.txt").open("w") as log:
            run = subprocess.Popen(list(map(str, command)), stdout=log, stderr=log)
        samples: list[tuple[int, float]] = []
        workers: dict[int, list[float]] = {}
        snakemake = 0.0
        while run.poll() is None:
            time.sleep(2)
            done = len(list((folder / "results/many/trials").glob("*/record.json")))
            samples.append((done, cpu_seconds()))
            snakemake = max(snakemake, megabytes(run.pid, "Rss:"))
            for worker in (pid for server in children(run.pid) for pid in children(server)):
                if own := megabytes(worker, "Private_Dirty:"):
                    workers.setdefault(worker, []).append(own)
        if run.returncode:
            raise RuntimeError((folder / "log.txt").read_text()[-2000:])
        seconds = time.perf_counter() - started
    begin, end = per_trial(samples, part // 5, part), per_trial(samples, options.trials - part, options.trials - 5)
    grown = [values for values in workers.values() if len(values) > 10]
    print(f"{options.trials} trials in {seconds:.0f} s ({options.trials / seconds:.1f} per second)")
    print(
        f"CPU seconds per trial: {begin:.3f} of the first {part}, {end:.3f} of the last {part}, ratio {end / begin:.2f}"
    )
    print(f"memory of Snakemake: {snakemake:.0f} MB")
    print(
        "memory of the workers, after the first tenth of their time and at the end, MB: "
        + ", ".join(f"{values[len(values) // 10]:.0f} and {values[-1]:.0f}" for values in grown)
    )


if __name__ == "__main__":
    main()

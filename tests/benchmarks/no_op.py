"""Measure the time of Snakemake for a large finished study, without changes and with one more trial.

    .venv/bin/python tests/benchmarks/no_op.py --trials 1000

The files of the study are empty and marked as complete, so that nothing has to be trained first.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml
from measure import spread

ROOT = Path(__file__).parents[2]
SNAKEMAKE = Path(sys.executable).with_name("snakemake")
DIRECTORIES = ("gam", "figures", "optimum/weights")


def command(folder: Path, *arguments: str) -> list[str]:
    """Return the call of Snakemake on the study in a folder."""
    call = [SNAKEMAKE, "--snakefile", ROOT / "Snakefile", "--directory", folder, "--cores", "2", *arguments]
    call += ["--workflow-profile", ROOT / "profiles" / "default", "--configfile", folder / "config.yaml"]
    return list(map(str, call))


def snakemake(folder: Path, *arguments: str) -> tuple[float, str]:
    """Return the duration of a call in seconds, and its standard output."""
    start = time.perf_counter()
    done = subprocess.run(command(folder, *arguments), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return time.perf_counter() - start, done.stdout + done.stderr


def configure(folder: Path, count: int) -> None:
    """Write the default study with the given number of configurations."""
    study = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    study["search"]["draws"] = count
    (folder / "config.yaml").write_text(yaml.safe_dump(study, sort_keys=False))


def pretend_finished(folder: Path) -> None:
    """Write all files of the study, without content."""
    _, summary = snakemake(folder, "--summary")
    for line in summary.splitlines():
        name = line.split("\t")[0]
        if name.startswith("results/"):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.mkdir(exist_ok=True) if name.endswith(DIRECTORIES) else path.touch()
    snakemake(folder, "--touch")


def main() -> None:
    """Measure, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        configure(folder, options.trials)
        pretend_finished(folder)
        cases = {"no changes": options.trials, "one more trial (-n)": options.trials + 1}
        for case, count in cases.items():
            configure(folder, count)
            calls = [snakemake(folder, *(["-n"] if count > options.trials else [])) for _ in range(options.repeats)]
            expected = "Nothing to be done" if count == options.trials else "train "
            if not all(expected in output for _, output in calls):
                raise RuntimeError(calls[0][1])
            seconds = [call[0] for call in calls]
            print(f"{count} trials, {case}: {spread(seconds, 2, ' s')}")


if __name__ == "__main__":
    main()

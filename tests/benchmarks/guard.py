"""Compare the overhead of gamtune with a stored value, relative to a reference computation on the same machine.

    .venv/bin/python tests/benchmarks/guard.py            # about two minutes; exit code 1 beyond a deviation of 25 %
    .venv/bin/python tests/benchmarks/guard.py --store    # store the ratios of this machine after an intended change

The overheads are the CPU seconds of a trial beyond its epochs, and of a run of a finished study of 200 trials. The
reference is a fixed amount of work of Python and NumPy in a new process, measured between the others. The median of the
ratios is compared, since the speed of a machine varies.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2] / "workflow")]
import no_op
from measure import spread
from trial_cost import LONG, SHORT, job_seconds

from gamtune.config.data_section import Data
from gamtune.data.prepare import prepare
from gamtune.runtime.warm import start_server

STORED = Path(__file__).with_name("guard.json")
MOST = 0.25  # largest deviation
TRIALS = 200
REFERENCE = """
import json, numpy
text = json.dumps([{"name": f"l{number}", "value": number * 0.1} for number in range(60_000)])
numbers = sorted(json.loads(text), key=lambda entry: (entry["value"] % 7, entry["name"]))
x = numpy.random.default_rng(1).normal(size=(400, 400)).astype("float32")
for _ in range(60):
    x = numpy.tanh(x @ x / 400)
"""


def reference_seconds() -> float:
    """Return the CPU seconds of the reference computation."""
    before = _children_seconds()
    one_thread = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
    subprocess.run([sys.executable, "-c", REFERENCE], env={**os.environ, **one_thread}, check=True)
    return _children_seconds() - before


def trial_seconds(folder: Path, seed: int, server: int) -> float:
    """Return the CPU seconds of a trial beyond its epochs, in a worker that has trained its architecture before."""
    short, long = (job_seconds(folder, epochs, seed, server) for epochs in (SHORT, LONG))
    return short - SHORT * (long - short) / (LONG - SHORT)


def no_op_seconds(folder: Path) -> float:
    """Return the CPU seconds of a run of a finished study."""
    before = _children_seconds()
    no_op.snakemake(folder)
    return _children_seconds() - before


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> int:
    """Measure, print the ratios, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", action="store_true", help="store the ratios")
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    found: dict[str, list[float]] = {"trial": [], "no-op run": []}
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder, study = Path(name), Path(name, "study")
        study.mkdir()
        no_op.configure(study, TRIALS)
        no_op.pretend_finished(study)
        prepare(Data(source="digits"), folder)
        start_server(folder / "workers.txt")
        (server,) = map(int, Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())
        job_seconds(folder, SHORT, 0, server)  # imports TensorFlow and builds the graph
        reference_seconds()
        for seed in range(1, options.repeats + 1):
            reference = (reference_seconds() + reference_seconds()) / 2
            found["trial"].append(trial_seconds(folder, seed, server) / reference)
            found["no-op run"].append(no_op_seconds(study) / reference)
    ratios = {kind: median(values) for kind, values in found.items()}
    stored = json.loads(STORED.read_text()) if STORED.exists() else {}
    print("| overhead | relative to the reference | stored | deviation |\n| --- | --- | --- | --- |")
    slower = False
    for kind, values in found.items():
        before = stored.get(kind)
        deviation = ratios[kind] / before - 1 if before else 0.0
        slower |= abs(deviation) > MOST
        print(f"| {kind} | {spread(values, 3)} | {before or '-'} | {deviation:+.0%} |")
    if options.store:
        content = {kind: round(ratio, 3) for kind, ratio in ratios.items()} | {
            "machine": platform.processor() or platform.machine()
        }
        STORED.write_text(json.dumps(content, indent=1) + "\n")
        return 0
    if slower:
        print(f"a deviation is larger than {MOST:.0%}; if it is intended, store the new ratios with --store")
    return int(slower)


if __name__ == "__main__":
    sys.exit(main())

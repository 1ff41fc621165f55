"""Compare seconds, CPU time, memory and best error of this workflow and its peers on the same configurations.

    make benchmark
    .venv-benchmark/bin/python tests/benchmarks/same_trials.py --trials 40 --repeats 3

Each repeat runs every tool once, so that a change of the speed of the machine affects all tools.
"""

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
from pathlib import Path
from statistics import median

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2] / "workflow")]
from measure import Cost, measure, spread
from workload import ROOT, write_work

PEERS = Path(__file__).parent / "peers"
BIN = Path(sys.executable).parent
OURS = "gamtune"
TOOLS = {
    OURS: ["bash", "-c", '{bin}/snakemake --snakefile {root}/Snakefile --profile none --workflow-profile '
           '{root}/profiles/default --cores {cores} --configfile "$WORK/config.yaml" --directory "$WORK" summarise'
           ' && cd "$WORK" && {bin}/gamtune sync config.yaml >&2 && {bin}/python {here}/best_trial.py'],
    "Optuna, 1 process": ["{bin}/python", "{here}/peers/optuna_trials.py", "1"],
    "Optuna, {cores} processes": ["{bin}/python", "{here}/peers/optuna_trials.py", "{cores}"],
    "KerasTuner": ["{bin}/python", "{here}/peers/keras_tuner_trials.py"],
    "Ray Tune": ["{bin}/python", "{here}/peers/ray_trials.py"],
    "H2O": ["{bin}/python", "{here}/peers/h2o_trials.py"],
}  # fmt: skip


def run(tool: str, count: int, epochs: int) -> Cost:
    """Run one tool in a separate folder and return its resources."""
    names = {"bin": BIN, "root": ROOT, "here": Path(__file__).parent, "cores": os.cpu_count()}
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        write_work(folder, count, epochs)
        command = [part.format(**names) for part in TOOLS[tool]]
        environment = {"WORK": name, "PYTHONPATH": f"{PEERS}:{ROOT / 'workflow'}", "PYTHONDONTWRITEBYTECODE": "1"}
        return measure(command, folder, environment)


def table(costs: dict[str, list[Cost]], count: int) -> str:
    """Return medians and ranges as Markdown; ratios compare runs of the same repeat."""
    lines = [
        "| tool | seconds | CPU seconds | peak memory, MB | trials per hour | best validation MSE | time relative to gamtune |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for tool, measured in costs.items():
        seconds = [cost.seconds for cost in measured]
        ratios = [cost.seconds / ours.seconds for cost, ours in zip(measured, costs[OURS], strict=True)]
        lines.append(
            f"| {tool.format(cores=os.cpu_count())} | {spread(seconds, 0)} | {spread([c.cpu_seconds for c in measured], 0)}"
            f" | {spread([c.peak_megabytes for c in measured], 0)} | {3600 * count / median(seconds):.0f}"
            f" | {measured[-1].output.split()[3]} | {spread(ratios, 1)} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--tools", nargs="+", choices=list(TOOLS), default=list(TOOLS))
    options = parser.parse_args()
    if shutil.which("java") is None and "H2O" in options.tools:
        parser.error("H2O requires Java; select the other tools with --tools")
    costs: dict[str, list[Cost]] = {tool: [] for tool in options.tools}
    for repeat in range(1, options.repeats + 1):
        for tool, measured in costs.items():
            measured.append(run(tool, options.trials, options.epochs))
            print(json.dumps({"repeat": repeat, "tool": tool, **vars(measured[-1])}), file=sys.stderr, flush=True)
    print(f"{options.trials} trials of {options.epochs} epochs, {options.repeats} repeats: median (lowest to highest).")
    print(f"{os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}\n")
    print(table(costs, options.trials))


if __name__ == "__main__":
    main()

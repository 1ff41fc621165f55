"""Measure the seconds until a validation MSE is reached, for each tool with its best strategy.

    .venv-benchmark/bin/python tests/benchmarks/time_to_error.py --goal 0.035 --seeds 3

All tools start from the prepared arrays and search the space of the default study, with early stopping. gamtune runs the
default study with other seeds of the draws; its time ends when the record of a trial that reaches the goal is written.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2] / "workflow")]
import yaml
from measure import become_subreaper, reap_orphans
from workload import ROOT, config, write_work

PEERS = Path(__file__).parent / "peers"
BIN = Path(sys.executable).parent
OURS = "gamtune, random configurations"
TOOLS = {
    "Optuna, TPE and median pruning": "optuna_search.py",
    "KerasTuner, Bayesian": "keras_tuner_search.py",
    "Ray Tune, TPE and ASHA": "ray_search.py",
    "H2O, random": "h2o_search.py",
}


def ours(folder: Path, goal: float, limit: float, seed: int) -> float | None:
    """Return the seconds until a record reaches the goal; the run is then stopped."""
    study = config(1000, 25)
    study["search"]["seed"] = seed
    study["training"] = {"epochs": 25, "batch_size": 32, "early_stopping": {"patience": 5}}
    (folder / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    command = [BIN / "snakemake", "--until", "summarise", "--snakefile", ROOT / "Snakefile", "--cores", os.cpu_count()]
    command += ["--configfile", folder / "study.yaml", "--directory", folder]
    start = time.time()
    run = subprocess.Popen(
        list(map(str, [*command, "--workflow-profile", ROOT / "profiles" / "default"])),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    seen: set[Path] = set()
    try:
        while time.time() - start < limit and run.poll() is None:
            for path in set(folder.glob("results/benchmark/trials/*/record.json")) - seen:
                seen.add(path)
                record = json.loads(path.read_text())
                if record["status"] == "ok" and record["metrics"]["validation"]["mse"] <= goal:
                    return time.time() - start
            time.sleep(0.1)
        return None
    finally:
        # Its results are not needed; after SIGTERM, Snakemake might wait for its lock
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()


def peer(script: str, folder: Path, goal: float, limit: float, seed: int) -> float | None:
    """Return the seconds that the script of a peer reports."""
    variables = {"WORK": folder, "GOAL": goal, "LIMIT": limit, "SEED": seed, "BEGUN": time.time(), "PYTHONPATH": PEERS}
    done = subprocess.run(
        [BIN / "python", PEERS / script], env={**os.environ, **{name: str(value) for name, value in variables.items()}},
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = [line for line in done.stdout.splitlines() if line.startswith("reached ")]
    if not lines:
        raise RuntimeError(f"{script}: {(done.stdout + done.stderr)[-2000:]}")
    word = lines[-1].split()[1]
    return None if word == "not" else float(word)


def main() -> None:
    """Measure, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--goal", type=float, default=0.035)
    parser.add_argument("--limit", type=float, default=240, help="seconds after which a search is stopped")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    become_subreaper()
    taken: dict[str, list[float | None]] = {tool: [] for tool in (OURS, *TOOLS)}
    for seed in range(1, options.seeds + 1):
        for tool, seconds in taken.items():
            with tempfile.TemporaryDirectory(prefix="benchmark-", ignore_cleanup_errors=True) as name:
                folder = Path(name)
                write_work(folder, 1, 25)
                arguments = (folder, options.goal, options.limit, seed)
                seconds.append(ours(*arguments) if tool == OURS else peer(TOOLS[tool], *arguments))
                reap_orphans()
            print(json.dumps({"seed": seed, "tool": tool, "seconds": seconds[-1]}), file=sys.stderr, flush=True)
    print(f"Seconds to a validation MSE of {options.goal}; a search is stopped after {options.limit:.0f} s.\n")
    print("| tool | seconds, median | seconds per seed |\n| --- | --- | --- |")
    for tool, seconds in taken.items():
        finite = [float("inf") if value is None else value for value in seconds]
        each = ", ".join("not reached" if value is None else f"{value:.0f}" for value in seconds)
        print(f"| {tool} | {'not reached' if median(finite) == float('inf') else f'{median(finite):.0f}'} | {each} |")


if __name__ == "__main__":
    main()

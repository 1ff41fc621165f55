"""Measure MLflow: a first sync, a sync without changes, the delay from a trial to the UI, and killed syncs.

    .venv/bin/python tests/benchmarks/tracking.py --trials 100 1000

The records are simulated: 25 epochs with five curves each, as in the default study.
"""

import argparse
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import spread

sys.path.insert(0, str(Path(__file__).parents[1]))
from tracked import Killer, Study, content, start_follower, wait_until

EPOCHS = 25


def written(folder: Path, count: int) -> Study:
    """Return a study with the given number of trials."""
    study = Study(folder)
    study.write_trials(count, epochs=EPOCHS)
    study.write_data()
    return study


def seconds_of(study: Study) -> float:
    """Return the seconds of a sync in a process that is already running."""
    start = time.perf_counter()
    study.sync()
    return time.perf_counter() - start


def delays(study: Study, trials: int) -> list[float]:
    """Return the seconds from the record of a new trial to its finished run, while a follower is running."""
    parent = subprocess.Popen(["sleep", "3600"])
    follower = start_follower(study, parent.pid)
    found, count = [], len(study.trials)
    study.write_table([f"{number:012x}" for number in range(count + trials)])
    draw = random.Random(1)
    time.sleep(15 + count / 100)  # the follower reads all records first
    for trial in study.trials[count:]:
        time.sleep(draw.uniform(0, 4))
        study.write_record(trial, epochs=EPOCHS)
        start = time.monotonic()
        finished = (
            "SELECT count(*) FROM runs JOIN tags USING (run_uuid)"
            f" WHERE value = 'trial/{trial}' AND status = 'FINISHED'"
        )
        wait_until(study, finished, [(1,)])
        found.append(time.monotonic() - start)
    parent.kill()
    parent.wait()
    follower.communicate()
    return found


def kills(folder: Path, number: int) -> None:
    """Print the runs after each killed sync, and after the next sync."""
    study = written(folder, 8)
    study.write_record("c" * 12, "optimum")
    study.write_optimum(1)
    study.sync()
    study.write_table([f"{trial:012x}" for trial in range(40)])
    for index, trial in enumerate(study.trials):
        study.write_record(trial, number=index + 1, epochs=EPOCHS)
    study.write_optimum(2)
    copy = folder / "copy"
    shutil.copytree(study.results, copy)
    draw = random.Random(7)
    print(f"\n| killed after | runs finished, running | next sync | equal to an undisturbed sync |\n{'| --- ' * 4}|")
    with Killer() as killer:
        _, duration = killer.sync(study)
        expected = content(study)
        for _ in range(number):
            shutil.rmtree(study.results)
            shutil.copytree(copy, study.results)
            moment = draw.uniform(0, duration)
            killer.sync(study, moment)
            left = [
                study.query(f"SELECT count(*) FROM runs WHERE lifecycle_stage = 'active' AND status = '{status}'")[0][0]
                for status in ("FINISHED", "RUNNING")
            ]
            counts = study.sync()
            same = "yes" if content(study) == expected else "no"
            print(f"| {moment:.2f} s of {duration:.2f} s | {left[0]}, {left[1]} | {counts} | {same} |", flush=True)


def main() -> None:
    """Measure, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--kills", type=int, default=20)
    options = parser.parse_args()
    for count in options.trials:
        with tempfile.TemporaryDirectory() as folder:
            study = written(Path(folder), count)
            first = seconds_of(study)
            again = [seconds_of(study) for _ in range(3)]
            print(f"{count} trials, first sync: {first:.1f} s, {1000 * first / count:.0f} ms per trial")
            each = 1000 * statistics.median(again) / count
            print(
                f"{count} trials, sync without changes: {spread(again, 2, ' s')}, {each:.1f} ms per trial", flush=True
            )
            shown = delays(study, 5)
            print(f"{count} trials, from a record to its finished run: {spread(shown, 1, ' s')}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        kills(Path(folder), options.kills)


if __name__ == "__main__":
    main()

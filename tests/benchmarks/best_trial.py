"""Print the lowest validation MSE in the summary of the benchmark, in the format of the peers."""

import csv
from pathlib import Path

with Path("results/benchmark/summary.csv").open(newline="") as file:
    errors = [float(row["validation_mse"]) for row in csv.DictReader(file) if row["status"] == "ok"]
print(f"best validation MSE {min(errors):.5f} of {len(errors)} trials")

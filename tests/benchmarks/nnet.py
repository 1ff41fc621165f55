"""Run R's nnet with the arguments that caret uses (size 5, decay 0.1, 100 iterations) on the samples of a study.

Requires R with its package nnet (Debian: r-recommended), and a study whose data are prepared:
python tests/benchmarks/nnet.py results/lecture_nnet
"""

import argparse
import io
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2] / "workflow")]
from measure import spread

from gamtune.data.arrays import Prepared
from gamtune.metrics.h2o import classification_metrics

SEEDS = 5
FIT = """
suppressMessages(library(nnet))
folder <- commandArgs(TRUE)[1]
x <- as.matrix(read.csv(file.path(folder, "train.csv")))
y <- class.ind(factor(scan(file.path(folder, "y.csv"), quiet = TRUE)))
set.seed(as.integer(commandArgs(TRUE)[2]))
net <- nnet(x, y, softmax = TRUE, size = 5, decay = .1, maxit = 100, MaxNWts = 10000, trace = FALSE)
write.csv(predict(net, as.matrix(read.csv(file.path(folder, "test.csv")))), row.names = FALSE)
"""


def main() -> None:
    """Print median and range of the test metrics of nnet over weight seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path, help="folder with the results of the study")
    data = Prepared.open(parser.parse_args().study / "data" / "dataset.json")
    train, test = data.part("train"), data.part("test")
    found: dict[str, list[float]] = {"mse": [], "accuracy": []}
    with tempfile.TemporaryDirectory() as folder:
        for name, x in (("train", train.x), ("test", test.x)):
            pd.DataFrame(x).to_csv(Path(folder) / f"{name}.csv", index=False)
        np.savetxt(Path(folder) / "y.csv", train.y, fmt="%d")
        for seed in range(1, SEEDS + 1):
            answer = subprocess.run(
                ["Rscript", "-e", FIT, folder, str(seed)], check=True, capture_output=True, text=True
            ).stdout
            with np.errstate(divide="ignore"):
                scored = np.log(pd.read_csv(io.StringIO(answer)).to_numpy())
            metrics = classification_metrics(scored, test.y)
            for name, values in found.items():
                values.append(metrics[name])
    for name, values in found.items():
        print(f"nnet, {SEEDS} seeds: test {name} {spread(values, 4)}")


if __name__ == "__main__":
    main()

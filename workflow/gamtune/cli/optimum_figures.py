"""``gamtune optimum-figures``: draw the figures of the optimum on the test set."""

import argparse
from pathlib import Path

from gamtune.cli.arguments import add_study


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_study(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the figures")


def run(options: argparse.Namespace) -> None:
    """Draw the figures."""
    from gamtune.figures.optimum_figures import write_optimum_figures

    write_optimum_figures(options.study, options.out)

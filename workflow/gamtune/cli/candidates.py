"""``gamtune candidates``: propose candidates for the optimum."""

import argparse
from pathlib import Path

from gamtune.cli.arguments import add_config, existing_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_config(parser)
    parser.add_argument("--summary", type=existing_file, required=True, metavar="FILE", help="summary.csv of the study")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="CSV file for the candidates")


def run(options: argparse.Namespace) -> None:
    """Write the candidates."""
    from gamtune.config.load import read_study
    from gamtune.selection.candidates import write_candidates

    write_candidates(read_study(options.config), options.summary, options.out)

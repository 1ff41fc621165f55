"""``gamtune figures``: draw the figures of the search."""

import argparse
from pathlib import Path

from gamtune.cli.arguments import COLUMNS_HELP, add_stages, add_study, columns


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_study(parser)
    add_stages(parser)
    parser.add_argument("--columns", type=columns, required=True, metavar="JSON", help=COLUMNS_HELP)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")


def run(options: argparse.Namespace) -> None:
    """Draw the figures."""
    from gamtune.figures.search_figures import write_figures

    write_figures(options.study, options.stages, options.columns.columns, options.columns.log, options.out)

"""``gamtune figures``: draw the figures of the search."""

import argparse
from pathlib import Path

from gamtune.cli.arguments import COLUMNS_HELP, add_stages, add_study, columns


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_study(parser)
    add_stages(parser)
    parser.add_argument(
        "--columns", type=columns, required=True, metavar="JSON",
        help=f"columns to draw, and those on a logarithmic scale: {COLUMNS_HELP}",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the figures")


def run(options: argparse.Namespace) -> None:
    """Draw the figures."""
    from gamtune.figures.search_figures import write_figures

    write_figures(options.study, options.stages, options.columns.columns, options.columns.log, options.out)

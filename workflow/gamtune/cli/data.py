"""``gamtune data``: prepare the data set."""

import argparse
import sys
from pathlib import Path

from gamtune.cli.arguments import add_data


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_data(parser, "its section data and its key selection.on are read")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the prepared arrays")
    parser.add_argument(
        "--refit", action="store_true", help="prepare the data of a refit on the training and validation samples"
    )


def run(options: argparse.Namespace) -> None:
    """Write the arrays, and print the warnings about leaks."""
    from gamtune.config.load import read_data_settings
    from gamtune.data.prepare import prepare, prepare_refit

    data, selected_on = read_data_settings(options.data)
    if options.refit:
        prepare_refit(data, options.out, selected_on)
        return
    for warning in prepare(data, options.out, selected_on):
        print(f"warning: {warning.message}", file=sys.stderr)

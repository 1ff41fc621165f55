"""``gamtune table``: print the parameter table."""

import argparse
import sys
from pathlib import Path

from gamtune.cli.arguments import add_config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_config(parser)
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the table to this file instead")


def run(options: argparse.Namespace) -> None:
    """Print or write the table as CSV."""
    from gamtune.config.load import read_study
    from gamtune.errors import InputError
    from gamtune.files import write_text
    from gamtune.search.table import table_csv

    try:
        text = table_csv(read_study(options.config))
    except InputError as error:
        raise (error if error.source else error.within(options.config)) from None
    if options.out:
        write_text(options.out, text)
    else:
        sys.stdout.write(text)

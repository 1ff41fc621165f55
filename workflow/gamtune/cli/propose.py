"""``gamtune propose``: fill the slots of a round or rung."""

import argparse

from gamtune.cli.arguments import add_config, add_study, number


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_config(parser)
    add_study(parser)
    parser.add_argument(
        "--stage", type=number(1), required=True, metavar="NUMBER", help="number of the round or rung, from 1"
    )


def run(options: argparse.Namespace) -> None:
    """Write the slots of the stage."""
    from gamtune.config.load import read_study
    from gamtune.search.propose import propose

    propose(read_study(options.config), options.stage, options.study)

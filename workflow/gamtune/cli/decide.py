"""``gamtune decide``: choose among the confirmed candidates."""

import argparse

from gamtune.cli.arguments import add_study, number


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_study(parser)
    parser.add_argument("--replicates", type=number(1), required=True)
    parser.add_argument("--choose", choices=("lowest_mean", "one_standard_error"), default="lowest_mean")


def run(options: argparse.Namespace) -> None:
    """Write the decision."""
    from gamtune.selection.decide import decide

    decide(options.study, options.replicates, options.choose)

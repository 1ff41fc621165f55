"""``gamtune evaluate``: score the finalists on the test set."""

import argparse

from gamtune.cli.arguments import add_stages, add_study, number


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_study(parser)
    parser.add_argument(
        "--finalists", nargs="+", required=True, metavar="NAME", help="names of the finalists, the optimum first"
    )
    parser.add_argument(
        "--replicates", type=number(1), required=True, metavar="NUMBER", help="final trials per finalist"
    )
    parser.add_argument(
        "--refit", action="store_true", help="the finalists were refitted on the training and validation samples"
    )
    add_stages(parser)


def run(options: argparse.Namespace) -> None:
    """Write the scores and export the optimum."""
    from gamtune.selection.evaluate import evaluate

    evaluate(options.study, options.finalists, options.replicates, options.refit, options.stages)

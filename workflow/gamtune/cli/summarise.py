"""``gamtune summarise``: join the parameter table with the records of its trials."""

import argparse

from gamtune.cli.arguments import add_config, add_study


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_config(parser)
    add_study(parser)


def run(options: argparse.Namespace) -> None:
    """Write ``summary.csv``."""
    from gamtune.analysis.summary import summarise
    from gamtune.config.load import read_study

    summarise(read_study(options.config), options.study)

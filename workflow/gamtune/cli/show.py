"""``gamtune show``: print a summary of the results."""

import argparse
from contextlib import suppress
from pathlib import Path

from gamtune.cli.arguments import add_config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_config(parser)


def run(options: argparse.Namespace) -> None:
    """Print the best configuration, the optimum and the path of the report."""
    from gamtune.config.load import read_study
    from gamtune.results.layout import RESULTS
    from gamtune.search.planned import check_summary
    from gamtune.selection.show import show

    study, results = read_study(options.config), Path(RESULTS)
    with suppress(FileNotFoundError):  # `show` reports a missing summary
        check_summary(study, results / study.study)
    print(show(study, results, options.config))

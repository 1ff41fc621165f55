"""``gamtune report``: write the HTML report of a study."""

import argparse

from gamtune.cli.arguments import add_config, add_study


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_config(parser)
    add_study(parser)


def run(options: argparse.Namespace) -> None:
    """Write ``report.html``."""
    from gamtune.config.load import read_raw
    from gamtune.report.report import write_report
    from gamtune.results.layout import StudyFolder

    write_report(options.study, read_raw(options.config), StudyFolder(options.study).report)

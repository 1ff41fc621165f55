"""``gamtune select``: select the optimum among the confirmed candidates."""

import argparse

from gamtune.cli.arguments import add_config, add_study


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_config(parser)
    add_study(parser)


def run(options: argparse.Namespace) -> None:
    """Write the selection and the slots of the final trials."""
    from gamtune.config.load import read_study
    from gamtune.selection.finalists import write_final_slots
    from gamtune.selection.select import select

    study = read_study(options.config)
    select(options.study, study.selection.confirm.replicates, study.selection.choose)
    write_final_slots(study, options.study)

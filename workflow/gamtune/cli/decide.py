"""``gamtune decide``: choose among the confirmed candidates."""

import argparse

from gamtune.cli.arguments import add_config, add_study


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_config(parser)
    add_study(parser)


def run(options: argparse.Namespace) -> None:
    """Write the decision and the slots of the final trials."""
    from gamtune.config.load import read_study
    from gamtune.selection.contenders import write_final_slots
    from gamtune.selection.decide import decide

    study = read_study(options.config)
    decide(options.study, study.decision.confirm.replicates, study.decision.choose)
    write_final_slots(study, options.study)

"""``gamtune reset-failed``: remove the failed trials of a study."""

import argparse
from pathlib import Path

from gamtune.cli.arguments import add_config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_config(parser)


def run(options: argparse.Namespace) -> None:
    """Remove the records of the failed trials and print their number."""
    from gamtune.config.load import read_raw
    from gamtune.plan import Plan
    from gamtune.results.clean_up import remove_failed_trials
    from gamtune.runtime.run_lock import exclusive

    plan = Plan(read_raw(options.config), options.config)
    with exclusive("gamtune reset-failed"):
        removed = remove_failed_trials(Path(plan.path()), Path(plan.store))
    print(f"{removed} failed trials removed; the next snakemake --cores N trains them again")

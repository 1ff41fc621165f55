"""``gamtune prune``: list or remove the trials that none of the given configs needs."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("configs", nargs="+", metavar="CONFIG", help="configs of the studies to keep")
    parser.add_argument("--yes", action="store_true", help="remove the listed trials permanently")


def run(options: argparse.Namespace) -> None:
    """Print the trials that would be removed, or remove them."""
    from gamtune.config.load import read_raw
    from gamtune.errors import StepError
    from gamtune.plan import Plan
    from gamtune.prune import prune, show_unneeded

    plans = [Plan(read_raw(config), config) for config in options.configs]
    if not options.yes:
        show_unneeded(plans)
    elif left := prune(plans):
        raise StepError(f"{left} could not be removed, see above")

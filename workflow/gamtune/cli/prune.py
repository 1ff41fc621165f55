"""``gamtune prune``: list or remove what no config wants any more."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("configs", nargs="+", metavar="CONFIG", help="the studies that stay")
    parser.add_argument("--yes", action="store_true", help="remove what is listed, for good")


def run(options: argparse.Namespace) -> None:
    """Print what would be removed, or remove it."""
    from gamtune.config.load import read_raw
    from gamtune.errors import StepError
    from gamtune.plan import Plan
    from gamtune.prune import prune, show_unwanted

    plans = [Plan(read_raw(config), config) for config in options.configs]
    if not options.yes:
        show_unwanted(plans)
    elif left := prune(plans):
        raise StepError(f"{left} could not be removed, see above")

"""``gamtune metrics``: print the metrics of a file of predictions."""

import argparse
import json

from gamtune.cli.arguments import existing_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "predictions", type=existing_file, metavar="PREDICTIONS.csv", help="CSV file with one row per sample"
    )


def run(options: argparse.Namespace) -> None:
    """Print the metrics as JSON."""
    from gamtune.metrics.score_file import score_file

    print(json.dumps(score_file(options.predictions), indent=1))

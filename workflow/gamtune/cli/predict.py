"""``gamtune predict``: predict raw samples with an exported model."""

import argparse
import sys

from gamtune.cli.arguments import existing_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "model", type=existing_file, metavar="MODEL.keras", help="with its preprocessing.json beside it"
    )
    parser.add_argument(
        "rows", type=existing_file, metavar="ROWS.csv", help="raw rows, with the columns of the training"
    )
    parser.add_argument("--strict", action="store_true", help="refuse levels that the model was not trained with")


def run(options: argparse.Namespace) -> None:
    """Print the predictions as CSV."""
    from gamtune.serving.predict import predict_file

    predictions, warnings = predict_file(options.model, options.rows, options.strict)
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr)
    sys.stdout.write(predictions)

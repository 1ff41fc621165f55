"""``gamtune predict``: print the predictions of an exported model for raw samples."""

import argparse
import sys

from gamtune.cli.arguments import existing_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "model",
        type=existing_file,
        metavar="MODEL.keras",
        help="exported model; its preprocessing.json must be in the same folder",
    )
    parser.add_argument(
        "samples",
        type=existing_file,
        metavar="SAMPLES.csv",
        help="raw samples (CSV or Parquet) with the columns of the training data",
    )
    parser.add_argument(
        "--strict", action="store_true", help="exit with an error if a level is not in the training data"
    )


def run(options: argparse.Namespace) -> None:
    """Print the predictions as CSV."""
    from gamtune.serving.predict import predict_file

    predictions, warnings = predict_file(options.model, options.samples, options.strict)
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr)
    sys.stdout.write(predictions)

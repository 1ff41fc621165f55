"""``gamtune gam``: fit a generalised additive model (GAM) to a file of results."""

import argparse
from pathlib import Path

from gamtune.cli.arguments import COLUMNS_HELP, Columns, columns, existing_file

NO_FORMULA = "null"  # the workflow passes this for `analysis.gam: null`


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "results", type=existing_file, metavar="RESULTS.csv", help="CSV file with one row per configuration"
    )
    parser.add_argument(
        "--formula", required=True, help="formula as in mgcv, such as 's(log(l1), k=4) + te(depth, width, k=4)'"
    )
    parser.add_argument("--response", default="mse", help="a column or log(column) (default: mse)")
    parser.add_argument(
        "--method", choices=("REML", "GCV"), default="REML", help="criterion for the smoothing (default: REML)"
    )
    parser.add_argument(
        "--columns",
        type=columns,
        default=Columns([], []),
        metavar="JSON",
        help=f"columns to rank without the model, and those on a logarithmic scale: {COLUMNS_HELP} (default: none)",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the tables of the model")
    parser.add_argument(
        "--skip-unfittable",
        action="store_true",
        help="if the model cannot be fitted to the results, write the reason to skipped.txt and exit with code 0",
    )


def run(options: argparse.Namespace) -> None:
    """Fit the model and write its files."""
    from gamtune.analysis.gam_step import run_gam

    run_gam(
        options.results,
        None if options.formula == NO_FORMULA else options.formula,
        options.response,
        options.method,
        options.out,
        options.columns.columns,
        options.columns.log,
        options.skip_unfittable,
    )

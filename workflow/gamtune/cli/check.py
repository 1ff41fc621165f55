"""``gamtune check``: check a config, and with ``--data`` its data."""

import argparse
import sys

from gamtune.cli.arguments import add_config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_config(parser)
    parser.add_argument(
        "--data", action="store_true", help="also read the data and print how each column is interpreted"
    )


def run(options: argparse.Namespace) -> None:
    """Print the number of trials, and with ``--data`` how each column of the data is interpreted."""
    from gamtune.config.load import read_raw
    from gamtune.plan import Plan

    plan = Plan(read_raw(options.config), options.config)
    confirmations = len(plan.candidates) * len(plan.replicates)
    kind = plan.stages[0].partition("/")[0] if plan.stages else ""
    later = f" ({sum(plan.slots)} of them in {len(plan.stages)} {kind})" if kind else ""
    print(f"{options.config}: study {plan.name}: {len(plan.records)} trials{later}, {confirmations} confirmations")
    for hint in plan.hints:
        print(f"hint: {hint}")
    if not options.data:
        return
    from gamtune.data.column_use import aligned
    from gamtune.data.prepare import examine

    examined = examine(plan.config.data, plan.config.selection.on)
    rows = examined.rows
    if rows.columns:
        print(aligned(rows.columns))
    else:
        samples, inputs = rows.features.shape
        target = f"{len(rows.classes)} classes" if rows.classes else "a numeric target"
        print(f"source {plan.config.data.source}: {samples} samples, {inputs} inputs, {target}")
    for warning in examined.warnings:
        print(f"warning: {warning.message}", file=sys.stderr)

"""``gamtune check``: check a config, and with ``--data`` its data."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import astuple
from typing import TYPE_CHECKING

from gamtune.cli.arguments import add_config

if TYPE_CHECKING:
    from gamtune.results.csv_rows import ColumnUse

HEADER = ("column", "type", "used as", "missing", "distinct", "example")
MAX_WIDTH = 40  # characters of a cell


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


def aligned(columns: "Sequence[ColumnUse]") -> str:
    """Return the columns as a text table with aligned cells.

    Examples
    --------
    >>> from gamtune.results.csv_rows import ColumnUse
    >>> columns = [ColumnUse("age", "number", "input", 0, 12, "22"), ColumnUse("y", "category", "group", 3, 2, "no")]
    >>> print(aligned(columns))
    column  type      used as  missing  distinct  example
    age     number    input          0        12  22
    y       category  group          3         2  no
    """
    lines = [HEADER, *([_shown(cell) for cell in astuple(column)] for column in columns)]
    widths = [max(len(line[position]) for line in lines) for position in range(len(HEADER))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if title in ("missing", "distinct") else cell.ljust(width)
            for cell, width, title in zip(line, widths, HEADER, strict=True)
        ).rstrip()
        for line in lines
    )


def _shown(cell: object) -> str:
    """Return the text of a cell on one line, with visible control characters."""
    text = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in str(cell))
    return text if len(text) <= MAX_WIDTH else f"{text[: MAX_WIDTH - 3]}..."

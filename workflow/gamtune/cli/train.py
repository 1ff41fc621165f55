"""``gamtune train``: train one trial, or copy it from the store."""

import argparse
import signal
from pathlib import Path

from gamtune.cli.arguments import existing_file, number
from gamtune.errors import InputError
from gamtune.results.record import MODEL, STATE
from gamtune.runtime.parent import die_with_parent
from gamtune.spec import Spec


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    trial = parser.add_mutually_exclusive_group(required=True)
    trial.add_argument("--spec", type=_specification, metavar="JSON", help="specification of the trial")
    trial.add_argument("--slots", type=existing_file, metavar="FILE", help="slots.csv of a stage; needs --slot")
    parser.add_argument("--slot", metavar="NAME", help="slot whose trial is trained; needs --slots")
    parser.add_argument("--data", type=existing_file, required=True, metavar="FILE", help="dataset.json of the data")
    parser.add_argument("--record", type=Path, required=True, metavar="FILE", help="the record to write")
    parser.add_argument("--store", type=Path, required=True, metavar="DIR", help="store of all finished trials")
    parser.add_argument(
        "--leave", nargs="*", choices=(MODEL, STATE), default=[MODEL],
        help=f"files to keep besides the record (default: {MODEL})",
    )  # fmt: skip
    parser.add_argument(
        "--continues", type=number(0), default=0, metavar="EPOCHS",
        help="resume from the stored state after this number of epochs, if there is one (default: 0)",
    )  # fmt: skip
    parser.add_argument(
        "--attempt", type=number(1), default=1, metavar="NUMBER", help="number of this attempt (default: 1)"
    )
    parser.add_argument(
        "--attempts", type=number(1), default=1, metavar="NUMBER",
        help="attempts after which the trial is recorded as failed (default: 1)",
    )  # fmt: skip


def run(options: argparse.Namespace) -> None:
    """Train the trial in a child process; for an empty slot, write a record with the status ``skipped``."""
    from gamtune.runtime.launch import launch

    if (options.slots is None) != (options.slot is None):
        raise InputError(["gamtune train: --slots and --slot must be given together"])
    die_with_parent(signal.SIGTERM)
    spec = options.spec
    if options.slots:
        from gamtune.results.slots_file import read_slot, write_skipped

        slot = read_slot(options.slots, options.slot)
        spec = slot.spec
        if spec is None:
            options.record.with_name(MODEL).unlink(missing_ok=True)  # model of the trial that the slot held before
            write_skipped(options.record, slot.reason)
            return
    attempts = options.attempt, options.attempts
    launch(spec, options.data, options.record, options.store, *attempts, tuple(options.leave), options.continues)


def _specification(text: str) -> Spec:
    try:
        return Spec.from_json(text)
    except (ValueError, TypeError, AttributeError) as error:  # not JSON, not an object, or unknown settings
        raise argparse.ArgumentTypeError(
            f"got {text[:100]!r}, expected the specification of a trial ({error})"
        ) from None

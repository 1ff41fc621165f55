"""``gamtune train``: train one trial, or take it from the store."""

import argparse
import json
import signal
from pathlib import Path

from gamtune.cli.arguments import existing_file, number
from gamtune.errors import InputError
from gamtune.files import write_text
from gamtune.results.record import MODEL, STATE
from gamtune.runtime.parent import die_with_parent
from gamtune.spec import Spec

# What a file of several trials needs beside it to name one
NEEDED = {"candidates": "candidate", "proposals": "slot", "decision": "contender"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--spec", type=_specification, metavar="JSON", help="the training")
    what.add_argument(
        "--candidates", type=existing_file, metavar="FILE", help="candidates.csv; needs --candidate, --replicate"
    )
    what.add_argument(
        "--proposals", type=existing_file, metavar="FILE", help="proposals.csv of a round or rung; needs --slot"
    )
    what.add_argument("--decision", type=existing_file, metavar="FILE", help="decision.json; needs --contender")
    parser.add_argument("--contender", metavar="NAME", help="optimum, or a candidate it is compared with")
    parser.add_argument("--whole", action="store_true", help="the contender on all rows but the test's")
    parser.add_argument("--slot", type=number(1), metavar="NUMBER")
    parser.add_argument("--candidate", metavar="NAME")
    parser.add_argument("--replicate", type=number(1), default=1)
    parser.add_argument("--seed", type=number(0), default=1, help="training.seed of the config")
    parser.add_argument(
        "--fold", type=number(0), default=0, metavar="NUMBER", help="of the candidate or contender; 0: none"
    )
    parser.add_argument("--data", type=existing_file, required=True, metavar="FILE", help="digest.json of the data")
    parser.add_argument("--record", type=Path, required=True, metavar="FILE", help="the record to write")
    parser.add_argument("--store", type=Path, required=True, metavar="DIR", help="all finished trainings")
    parser.add_argument(
        "--leave", nargs="*", choices=(MODEL, STATE), default=[MODEL], help="what to leave beside the record"
    )
    parser.add_argument(
        "--continues", type=number(0), default=0, metavar="EPOCHS", help="go on from there, if it is stored"
    )
    parser.add_argument("--attempt", type=number(1), default=1)
    parser.add_argument("--attempts", type=number(1), default=1)


def run(options: argparse.Namespace) -> None:
    """Train the trial in a child process; an empty slot leaves a record that says so."""
    from gamtune.runtime.launch import launch

    die_with_parent(signal.SIGTERM)
    spec, reason = _asked_for(options)
    if spec is None:
        options.record.with_name(MODEL).unlink(missing_ok=True)  # of what the slot held before
        write_text(options.record, json.dumps({"status": "skipped", "reason": reason}) + "\n")
        return
    attempts = options.attempt, options.attempts
    launch(spec, options.data, options.record, options.store, *attempts, tuple(options.leave), options.continues)


def _asked_for(options: argparse.Namespace) -> tuple[Spec | None, str]:
    """Return the trial to train, or None and the reason why the slot is empty."""
    if options.spec:
        return options.spec, ""
    for file, name in NEEDED.items():
        if getattr(options, file) and getattr(options, name) is None:
            raise InputError([f"gamtune train: --{file} needs --{name}"])
    if options.proposals:
        from gamtune.search.proposals import read_slot

        slot = read_slot(options.proposals, options.slot)
        return (slot.row.spec if slot.row else None), slot.reason
    from gamtune.selection.contenders import final_spec
    from gamtune.selection.slots import confirmation_spec, read_candidate

    fold = options.fold or None
    if options.candidates:
        candidate = read_candidate(options.candidates, options.candidate)
        return confirmation_spec(candidate, options.seed, options.replicate, fold), candidate.reason
    study = options.decision.parent.parent
    return final_spec(study, options.contender, options.seed, options.replicate, fold, options.whole)


def _specification(text: str) -> Spec:
    try:
        return Spec.from_json(text)
    except (ValueError, TypeError, AttributeError) as error:  # no JSON, no object, or other settings
        raise argparse.ArgumentTypeError(
            f"got {text[:100]!r}, expected the specification of a trial ({error})"
        ) from None

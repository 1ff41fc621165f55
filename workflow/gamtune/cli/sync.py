"""``gamtune sync``: update MLflow from the records on disk."""

import argparse
import signal
import socket
import subprocess
import sys
from pathlib import Path

from gamtune.cli.arguments import add_config, number

SHORT_RUN = 10  # seconds before the first pass; a shorter run is tracked by the sync at its end only


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_config(parser)
    parser.add_argument("--follow", type=number(1), metavar="PID", help="repeat the sync until this process has ended")
    parser.add_argument(
        "--listener", type=number(0), metavar="FD", help="with --follow: socket on which jobs request a sync"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write a summary as JSON to this file")


def run(options: argparse.Namespace) -> None:
    """Sync once, or repeatedly until a process has ended."""
    if options.out and not options.follow:
        from gamtune.tracking.start import sync_in_follower

        code = sync_in_follower(["sync", options.config, "--out", str(options.out)])
        if code is not None:
            sys.exit(code)
    from gamtune.cli.tracked import tracked_study
    from gamtune.runtime.parent import die_with_parent
    from gamtune.tracking.follow import follow
    from gamtune.tracking.sync import sync

    study = tracked_study(options.config, _library_commit())
    if options.follow:
        die_with_parent(signal.SIGTERM)
        listener = None if options.listener is None else socket.socket(fileno=options.listener)
        follow(study, options.follow, first=SHORT_RUN, listener=listener)
        return
    synced = sync(study)
    print(synced)
    if options.out:
        synced.write(options.out)


def _library_commit() -> str | None:
    """Return the git commit of the checkout that contains this library; None outside a checkout or without git."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None

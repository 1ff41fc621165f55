"""``gamtune ui``: start the MLflow UI and print the link to the study."""

import argparse
import os

from gamtune.cli.arguments import add_config, number


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_config(parser)
    parser.add_argument(
        "--port", type=number(1), default=5000, metavar="NUMBER", help="port of the UI on this machine (default: 5000)"
    )


def run(options: argparse.Namespace) -> None:
    """Replace this process by MLflow's server."""
    from gamtune.cli.tracked import tracked_study
    from gamtune.tracking.ui import check_port, deep_link, ui_command

    study = tracked_study(options.config)
    command, environment = ui_command(study, options.port)
    check_port(options.port)
    print(f"MLflow UI of {study.name} (stop it with Ctrl-C): {deep_link(study, options.port)}", flush=True)
    os.execvpe(command[0], command, {**os.environ, **environment})

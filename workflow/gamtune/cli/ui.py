"""``gamtune ui``: start MLflow's UI and print the link of the study."""

import argparse
import os

from gamtune.cli.arguments import add_config, number


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_config(parser)
    parser.add_argument("--port", type=number(1), default=5000)


def run(options: argparse.Namespace) -> None:
    """Replace this process by MLflow's server."""
    from gamtune.cli.tracked import tracked_study
    from gamtune.tracking.ui import check_port, deep_link, ui_command

    study = tracked_study(options.config)
    command, environment = ui_command(study, options.port)
    check_port(options.port)
    print(f"MLflow UI of {study.name} (Ctrl-C ends it): {deep_link(study, options.port)}", flush=True)
    os.execvpe(command[0], command, {**os.environ, **environment})

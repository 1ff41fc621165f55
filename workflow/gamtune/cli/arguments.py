"""Arguments that several commands share, and types of arguments that report an invalid value in one line."""

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

COLUMNS_HELP = '{"columns": [...], "log": [...]}'


class Columns(NamedTuple):
    """Hyperparameters of a study, and those of them that are modelled on a logarithmic scale."""

    columns: list[str]
    log: list[str]


def existing_file(text: str) -> Path:
    """Return the path of a file that exists."""
    path = Path(text)
    if not os.path.exists(path):  # also False for a name that is too long
        raise argparse.ArgumentTypeError(f"{text}: there is no such file")
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is a folder, expected a file")
    return path


def existing_folder(text: str) -> Path:
    """Return the path of a folder that exists."""
    path = Path(text)
    if not os.path.isdir(path):  # also False for a name that is too long
        raise argparse.ArgumentTypeError(f"{text}: there is no such folder")
    return path


def number(least: int) -> Callable[[str], int]:
    """Return the argument type of integers that are at least ``least``."""

    def convert(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"got {text[:100]!r}, expected an integer") from None
        if value < least:
            raise argparse.ArgumentTypeError(f"got {value}, expected an integer of at least {least}")
        return value

    return convert


def columns(text: str) -> Columns:
    """Return the columns of a JSON object such as `COLUMNS_HELP`."""
    try:
        content: Any = json.loads(text)
    except ValueError:
        content = None
    lists: list[Any] = [content.get(key) if isinstance(content, dict) else None for key in Columns._fields]
    if not all(isinstance(names, list) and all(isinstance(name, str) for name in names) for names in lists):
        raise argparse.ArgumentTypeError(f"got {text[:100]!r}, expected {COLUMNS_HELP}")
    return Columns(*lists)


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add the positional argument for the config of a study."""
    parser.add_argument("config", metavar="CONFIG", help="config of the study (YAML)")


def add_study(parser: argparse.ArgumentParser) -> None:
    """Add the option for the folder with the results of the study."""
    parser.add_argument(
        "--study", type=existing_folder, required=True, metavar="DIR", help="folder with the results of the study"
    )


def add_stages(parser: argparse.ArgumentParser) -> None:
    """Add the option for the stages of the search."""
    parser.add_argument(
        "--stages", nargs="*", default=[], metavar="FOLDER",
        help="rounds or rungs of the study, such as rungs/1, in their order (default: none)",
    )  # fmt: skip


def add_data(parser: argparse.ArgumentParser, read: str) -> None:
    """Add the option for the config of which a command reads only what ``read`` describes."""
    parser.add_argument("--data", required=True, metavar="FILE", help=f"config; only {read}")

"""Arguments that several commands share, and their types; an invalid value is reported in one line."""

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

COLUMNS_HELP = '{"columns": [...], "log": [...]}'


class Columns(NamedTuple):
    """Hyperparameters of a study and, of these, those that are modelled on a logarithmic scale."""

    columns: list[str]
    log: list[str]


def existing_file(text: str) -> Path:
    """Return the path of a file that exists."""
    path = Path(text)
    if not os.path.exists(path):  # False for a name that is too long, too
        raise argparse.ArgumentTypeError(f"{text}: there is no such file")
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is a folder, expected a file")
    return path


def existing_folder(text: str) -> Path:
    """Return the path of a folder that exists."""
    path = Path(text)
    if not os.path.isdir(path):  # False for a name that is too long, too
        raise argparse.ArgumentTypeError(f"{text}: there is no such folder")
    return path


def number(least: int) -> Callable[[str], int]:
    """Return the type of integers that are not below ``least``."""

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
        said: Any = json.loads(text)
    except ValueError:
        said = None
    lists: list[Any] = [said.get(key) if isinstance(said, dict) else None for key in Columns._fields]
    if not all(isinstance(names, list) and all(isinstance(name, str) for name in names) for names in lists):
        raise argparse.ArgumentTypeError(f"got {text[:100]!r}, expected {COLUMNS_HELP}")
    return Columns(*lists)


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add the positional argument of a study's config."""
    parser.add_argument("config", metavar="CONFIG", help="the study's YAML file")


def add_study(parser: argparse.ArgumentParser) -> None:
    """Add the option of the study's folder of results."""
    parser.add_argument(
        "--study", type=existing_folder, required=True, metavar="DIR", help="the study's folder of results"
    )


def add_stages(parser: argparse.ArgumentParser) -> None:
    """Add the option of the stages of the search."""
    parser.add_argument("--stages", nargs="*", default=[], metavar="FOLDER", help="rounds or rungs of the study")


def add_data_section(parser: argparse.ArgumentParser) -> None:
    """Add the option of the config file whose section `data` is read."""
    parser.add_argument("--data", required=True, metavar="FILE", help="config file; its section data is read")

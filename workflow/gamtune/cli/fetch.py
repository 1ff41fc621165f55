"""``gamtune fetch``: download a public data set."""

import argparse
from pathlib import Path

from gamtune.cli.arguments import add_data


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_data(parser, "its section data is read")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="JSON file for the names and checksums of the files"
    )


def run(options: argparse.Namespace) -> None:
    """Download the files that are not in the cache, and write their names and checksums."""
    from gamtune.config.load import read_data_section
    from gamtune.data.downloads import fetch
    from gamtune.data.public import PUBLIC
    from gamtune.errors import InputError
    from gamtune.results.step_summaries import DownloadedSource

    data = read_data_section(options.data)
    if data.source not in PUBLIC:
        expected = ", ".join(map(repr, PUBLIC))
        raise InputError([f"data.source: {data.source!r} is not downloaded, expected one of {expected}"], options.data)
    download = PUBLIC[data.source]
    for name, path in fetch(download, data.mirror).items():
        print(f"{name}: {path}")
    DownloadedSource(source=data.source, sha256=dict(download.files)).write(options.out)

"""``gamtune fetch``: download a public data set."""

import argparse
import json
from pathlib import Path

from gamtune.cli.arguments import add_data_section


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_data_section(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")


def run(options: argparse.Namespace) -> None:
    """Download the files that the cache lacks, and write what they are."""
    from gamtune.config.load import read_data_section
    from gamtune.data.downloads import fetch
    from gamtune.data.public import PUBLIC
    from gamtune.errors import InputError
    from gamtune.files import write_text

    data = read_data_section(options.data)
    if data.source not in PUBLIC:
        raise InputError([f"data.source: got {data.source!r}, which is not downloaded"], options.data)
    download = PUBLIC[data.source]
    for name, path in fetch(download, data.mirror).items():
        print(f"{name}: {path}")
    write_text(options.out, json.dumps({"source": data.source, "sha256": dict(download.files)}, indent=1) + "\n")

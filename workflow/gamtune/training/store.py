"""The store: every finished training, once, under the hash of all that determines it; looked into before training."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from gamtune.files import replacing
from gamtune.spec import Spec, digest
from gamtune.training.trial import MODEL, RECORD


def store_key(spec: Spec, data: str, code: str) -> str:
    """Name of a training's folder: hash of its spec, its data's digest and its code's digest."""
    return digest("\n".join((spec.to_json(), data, code)))[:24]


def add(store: Path, key: str, fill: Callable[[Path], None]) -> Path:
    """Let ``fill`` write a training's files into a folder that appears in the store whole or not at all.

    Returns
    -------
    Path
        The folder in the store; another process' if it was quicker.
    """
    store.mkdir(parents=True, exist_ok=True)
    folder = store / key
    part = Path(tempfile.mkdtemp(dir=store, prefix=".part-"))
    try:
        fill(part)
        part.chmod(0o755)
        try:
            os.rename(part, folder)
        except OSError:
            if not (folder / RECORD).exists():
                raise
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def take_out(folder: Path, record: Path) -> None:
    """Put a training of the store where the workflow expects it: the model first, the record last.

    The model is a hard link where the file system has them, so it takes no room twice.
    """
    model = record.with_name(MODEL)
    if (folder / MODEL).exists():
        with replacing(model) as part:
            part.unlink()
            try:
                os.link(folder / MODEL, part)
            except OSError:
                shutil.copyfile(folder / MODEL, part)
    else:
        model.unlink(missing_ok=True)
    with replacing(record) as part:
        shutil.copyfile(folder / RECORD, part)

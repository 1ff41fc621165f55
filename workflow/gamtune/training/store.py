"""The store: every finished training, once, under the hash of all that determines it; looked into before training."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gamtune.files import replacing
from gamtune.spec import Spec, digest
from gamtune.training.record import MODEL, RECORD


def store_key(spec: Spec, data: str, code: str) -> str:
    """Name of a training's folder: hash of its spec, its data's digest and its code's digest."""
    return digest("\n".join((spec.to_json(), data, code)))[:24]


@contextmanager
def new_folder(store: Path) -> Iterator[Path]:
    """Give a folder to fill with a training's files; what has not been put in place by `keep` is removed."""
    store.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=store, prefix=".part-"))
    try:
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)


def keep(part: Path, folder: Path) -> None:
    """Put a filled folder into the store, whole; if the training is there already, only what it lacks is added.

    The files become read-only: trials link to them, and what is written through a link would change the store.
    """
    for file in part.iterdir():
        file.chmod(0o444)
    part.chmod(0o755)
    try:
        os.rename(part, folder)
    except OSError:
        if not (folder / RECORD).exists():
            raise
        for file in part.iterdir():
            if not (folder / file.name).exists():
                os.replace(file, folder / file.name)


def take_out(folder: Path, record: Path, with_model: bool) -> None:
    """Put a training of the store where the workflow expects it: the model first, if it is wanted, the record last.

    The model is a hard link where the file system has them, so it takes no room twice.
    """
    model = record.with_name(MODEL)
    if with_model and (folder / MODEL).exists():
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

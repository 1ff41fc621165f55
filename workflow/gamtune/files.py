"""Files that appear whole or not at all, the checksums that they are read back with, and locks.

The checksum of a file lies beside it as ``.<name>.sha256``, in the format of ``sha256sum``. A file without one is read
unchecked, since it may have been copied from elsewhere. Writing is own code because the
libraries for atomic writes do not name the file in the error of a full disk.
"""

import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gamtune.errors import DamagedError

SHORT_WRITE = re.compile(r"\d+ requested and \d+ written")  # how NumPy reports a full disk
PART = ".part"  # among the suffixes of a file that is being written


@contextmanager
def replacing(path: Path, flushed: bool = True) -> Iterator[Path]:
    """Give the path of a new file beside ``path`` that takes its place when the block ends without an error.

    Parameters
    ----------
    path : Path
        The file to replace; its folder is made if it is missing.
    flushed : bool
        Whether the content reaches the disk before the name does, so that a power cut leaves the old file or the new
        one. It takes some milliseconds.
    """
    with _naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=PART + path.suffix)
        os.close(handle)
        part = Path(name)
        try:
            yield part
            part.chmod(0o666 & ~umask())
            if flushed:
                flush(part)
            os.replace(part, path)
            if flushed:
                flush(path.parent)
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Let the errors of a write name the file that is written: they name none, or a hidden one beside it."""
    try:
        yield
    except OSError as error:
        if error.errno is None and SHORT_WRITE.fullmatch(str(error)):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error
        if error.errno is not None and (error.filename is None or Path(error.filename).name.startswith(".")):
            error.filename = str(path)
        raise


def remove_parts(folder: Path) -> None:
    """Remove the files that killed processes were writing in `replacing`; the caller knows that no process is writing.

    Parameters
    ----------
    folder : Path
        Folder to search with all its subfolders; it may be missing.
    """
    for place, _, names in os.walk(folder):
        for name in names:
            if name.startswith(".") and PART in Path(name).suffixes:
                Path(place, name).unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole, with its checksum."""
    content = text.encode()
    with _naming(path):
        checksum_of(path).unlink(missing_ok=True)  # a process that is killed here leaves a file without a checksum
    with replacing(path) as part:
        part.write_bytes(content)
    _write_checksum(path, hashlib.sha256(content).hexdigest())


def copy_file(source: Path, target: Path) -> None:
    """Copy a file whole, with its checksum if it has one, which shows whether the copy survived a power cut."""
    with _naming(target):
        checksum_of(target).unlink(missing_ok=True)
    with replacing(target, flushed=False) as part:
        shutil.copyfile(source, part)
    value = _read_checksum(source)
    if value:
        _write_checksum(target, value)


def checksum_of(path: Path) -> Path:
    """Return the path of a file's checksum."""
    return path.with_name(f".{path.name}.sha256")


def write_checksum(path: Path) -> None:
    """Write the checksum of a file as it is now."""
    _write_checksum(path, sha256_of(path))


def matches_checksum(path: Path) -> bool:
    """Return whether a file has a checksum and matches it; False if either is missing."""
    return path.exists() and _read_checksum(path) == sha256_of(path)


def _write_checksum(path: Path, value: str) -> None:
    with _naming(path):
        checksum_of(path).write_text(f"{value}  {path.name}\n", encoding="utf-8")


def _read_checksum(path: Path) -> str:
    """Return the checksum that was written for a file, empty if there is none."""
    try:
        return checksum_of(path).read_text(encoding="utf-8").partition(" ")[0]
    except (FileNotFoundError, UnicodeDecodeError):
        return ""


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file's content in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_folder(folder: Path) -> None:
    """Compare all files of a folder that one step makes with their checksums.

    Raises
    ------
    DamagedError
        If a file is missing or differs; the message says to delete the folder, which Snakemake then makes anew.
    """
    for checksum in sorted(folder.glob(".*.sha256")):
        path = folder / checksum.name[1 : -len(".sha256")]
        if not matches_checksum(path):
            problem = "its content does not match its checksum" if path.exists() else "it is missing"
            raise DamagedError(path, problem, f"delete the folder {folder} and run again")


def check_file(path: Path) -> None:
    """Compare a file with its checksum.

    Raises
    ------
    DamagedError
        If they differ.
    """
    written = _read_checksum(path)
    # While another process replaces the file its checksum goes first: what has changed since is no damage
    if written and path.exists() and sha256_of(path) != written and _read_checksum(path) == written:
        raise DamagedError(path, f"its content does not match its checksum in {checksum_of(path).name}")


def read_json(path: Path, *keys: str) -> dict[str, Any]:
    """Read a JSON object that gamtune has written.

    Parameters
    ----------
    path : Path
        The file.
    keys : str
        Keys that the object must have.

    Raises
    ------
    DamagedError
        If the file does not match its checksum, is no JSON object or lacks a key.
    FileNotFoundError
        If there is no such file.
    """
    check_file(path)
    try:
        content = json.loads(path.read_bytes())
    except ValueError:  # of the text's encoding, too
        raise DamagedError(path, "it is empty" if not path.stat().st_size else "it is not valid JSON") from None
    if not isinstance(content, dict):
        raise DamagedError(path, "it is not a JSON object")
    missing = [key for key in keys if key not in content]
    if missing:
        raise DamagedError(path, f"it has no {missing[0]!r}")
    return content


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of this file, waiting until it is free; the kernel releases it when its holder dies."""
    from filelock import FileLock  # takes some milliseconds to import

    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path, fallback_to_soft=False):  # a soft lock would outlive a holder that is killed
        yield


def flush(path: Path) -> None:
    """Wait until a file's content, or a folder's list of names, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some file systems cannot do it for folders
            raise
    finally:
        os.close(descriptor)


def umask() -> int:
    """Return the permissions that new files of this process do not get."""
    mask = os.umask(0)
    os.umask(mask)
    return mask

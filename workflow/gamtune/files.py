"""Atomic writes of files, their checksums, and locks.

A file is written to a temporary file, which is then moved into place. The checksum of a file is stored as
``.<name>.sha256`` in the same folder, in the format of ``sha256sum``. A file without a checksum is read without a
check, since it may have been copied from elsewhere. No library for atomic writes is used, because none of them names
the file in the error of a full disk.
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

from gamtune.errors import DamagedError, InputError

SHORT_WRITE = re.compile(r"\d+ requested and \d+ written")  # NumPy's message for a full disk
PART = ".part"  # one of the suffixes of a file that is being written


@contextmanager
def replacing(path: Path, flushed: bool = True) -> Iterator[Path]:
    """Yield the path of a temporary file that replaces ``path`` when the block ends without an error.

    Parameters
    ----------
    path : Path
        The file to replace; its folder is created if it is missing.
    flushed : bool
        Whether the content is flushed to the disk before the file is renamed, so that a power cut leaves either the
        old file or the new one. This takes some milliseconds.

    Raises
    ------
    InputError
        If the path is a device or a pipe, such as /dev/null, which root would replace by a file.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise InputError([f"{path} is not a regular file; choose the path of a file"])
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
    """Add the name of the file to errors of a write, which contain no name or that of the temporary file."""
    try:
        yield
    except OSError as error:
        if error.errno is None and SHORT_WRITE.fullmatch(str(error)):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error
        if error.errno is not None and (error.filename is None or Path(error.filename).name.startswith(".")):
            error.filename = str(path)
        raise


def remove_parts(folder: Path) -> None:
    """Remove the temporary files that killed processes have left; no process may be writing to the folder.

    Parameters
    ----------
    folder : Path
        Folder to search with all its subfolders; it may be missing.
    """
    for parent, _, names in os.walk(folder):
        for name in names:
            if name.startswith(".") and PART in Path(name).suffixes:
                Path(parent, name).unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Replace a text file and write its checksum."""
    content = text.encode()
    with _naming(path):
        checksum_of(path).unlink(missing_ok=True)  # a process that is killed here leaves a file without a checksum
    with replacing(path) as part:
        part.write_bytes(content)
    _write_checksum(path, hashlib.sha256(content).hexdigest())


def copy_file(source: Path, target: Path) -> None:
    """Copy a file and its checksum, if it has one; the checksum detects a copy that was damaged by a power cut."""
    with _naming(target):
        checksum_of(target).unlink(missing_ok=True)
    with replacing(target, flushed=False) as part:
        shutil.copyfile(source, part)
    value = _read_checksum(source)
    if value:
        _write_checksum(target, value)


def checksum_of(path: Path) -> Path:
    """Return the path of the checksum of a file."""
    return path.with_name(f".{path.name}.sha256")


def write_checksum(path: Path) -> None:
    """Write the checksum of the current content of a file."""
    _write_checksum(path, sha256_of(path))


def matches_checksum(path: Path) -> bool:
    """Return whether a file has a checksum and matches it; False if either is missing."""
    return path.exists() and _read_checksum(path) == sha256_of(path)


def _write_checksum(path: Path, value: str) -> None:
    with _naming(path):
        checksum_of(path).write_text(f"{value}  {path.name}\n", encoding="utf-8")


def _read_checksum(path: Path) -> str:
    """Return the stored checksum of a file, or an empty text."""
    try:
        return checksum_of(path).read_text(encoding="utf-8").partition(" ")[0]
    except (FileNotFoundError, UnicodeDecodeError):
        return ""


def sha256_of(path: Path) -> str:
    """Return the hexadecimal SHA-256 of the content of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_folder(folder: Path) -> None:
    """Compare all files in the output folder of a step with their checksums.

    Raises
    ------
    DamagedError
        If a file is missing or differs. The message asks the user to delete the folder, which Snakemake then creates
        again.
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
    expected = _read_checksum(path)
    # A process that replaces the file removes the checksum first, so a checksum that has changed meanwhile is no damage
    if expected and path.exists() and sha256_of(path) != expected and _read_checksum(path) == expected:
        raise _checksum_error(path)


def read_checked(path: Path) -> bytes:
    """Return the content of a file after comparing it with its checksum.

    Raises
    ------
    DamagedError
        If they differ.
    FileNotFoundError
        If there is no such file.
    """
    expected, content = _read_checksum(path), path.read_bytes()
    # A process that replaces the file removes the checksum first, so a checksum that has changed meanwhile is no damage
    if expected and hashlib.sha256(content).hexdigest() != expected and _read_checksum(path) == expected:
        raise _checksum_error(path)
    return content


def _checksum_error(path: Path) -> DamagedError:
    return DamagedError(path, f"its content does not match its checksum in {checksum_of(path).name}")


def read_json(path: Path, *keys: str, version: int = 1) -> dict[str, Any]:
    """Read a JSON object that gamtune has written.

    Parameters
    ----------
    path : Path
        The file.
    keys : str
        Keys that the object must have.
    version : int
        Version of the format that the object must have; an object without the key ``version`` has version 1.

    Raises
    ------
    DamagedError
        If the file does not match its checksum, is not a JSON object, has not all keys, or has another version.
    FileNotFoundError
        If there is no such file.
    """
    text = read_checked(path)
    try:
        content = json.loads(text)
    except ValueError:  # also if the text is not UTF-8
        raise DamagedError(path, "it is not valid JSON" if text else "it is empty") from None
    if not isinstance(content, dict):
        raise DamagedError(path, "it is not a JSON object")
    if content.get("version", 1) != version:
        raise DamagedError(path, other_version(content["version"], version))
    missing = [key for key in keys if key not in content]
    if missing:
        raise DamagedError(path, f"it has no {missing[0]!r}")
    return content


def other_version(found: object, expected: int) -> str:
    """Return the message that a file has another version of its format."""
    return f"its format has version {found}, expected {expected}"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait for a lock file and lock it during the block; the kernel releases the lock when the process ends."""
    from filelock import FileLock  # the import takes some milliseconds

    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path, fallback_to_soft=False):  # a soft lock would remain if its holder is killed
        yield


def flush(path: Path) -> None:
    """Wait until the content of a file, or the list of names of a folder, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some file systems do not support it for folders
            raise
    finally:
        os.close(descriptor)


def umask() -> int:
    """Return the permission bits that are removed from the new files of this process."""
    mask = os.umask(0)
    os.umask(mask)
    return mask

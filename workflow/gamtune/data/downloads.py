"""Files of public data sets: from a folder, a mirror or their home, each checked against its sha256.

pooch keeps the files in the cache and downloads them. Two parts are own code: pooch starts a broken download again
instead of continuing it, and it knows neither several addresses per file nor a ZIP archive within another.
"""

import gzip
import hashlib
import lzma
import os
import shutil
import sys
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pooch
import requests

from gamtune.errors import InputError
from gamtune.files import locked, sha256_of
from gamtune.runtime.environment import cache_folder

BLOCK = 1 << 13  # bytes; what a broken connection loses at most
PATIENCE = 30  # seconds without a byte
ATTEMPTS = 3  # at one address, each of which continues the one before
FOLDER_VARIABLE = "GAMTUNE_DATA"


@dataclass(frozen=True)
class Download:
    """A public data set as files.

    Attributes
    ----------
    name : str
        The source's name in the config.
    files : mapping
        Each file's path and the sha256 of its content.
    homes : sequence of str
        Addresses to try in turn. One that ends in ``.zip`` holds all the files, perhaps in a zip within; to the others
        a file's path is added.
    """

    name: str
    files: Mapping[str, str]
    homes: Sequence[str]


class DownloadError(Exception):
    """An address from which a file cannot be downloaded; one line."""


def fetch(download: Download, mirror: str | None = None) -> dict[str, Path]:
    """Return the paths of a data set's files on this machine, each checked.

    Parameters
    ----------
    download : Download
        The data set.
    mirror : str, optional
        An ``http(s)://`` address in place of the data set's homes, or a folder that holds the files, as they are or
        compressed with xz, in place or in a folder named as the data set. By default the folder that the variable
        ``GAMTUNE_DATA`` names. What is downloaded stays in `cache_folder`.

    Raises
    ------
    InputError
        If a file is missing, cannot be downloaded, or has another sha256.
    """
    named_by = "data.mirror" if mirror else FOLDER_VARIABLE
    mirror = mirror or os.environ.get(FOLDER_VARIABLE)
    if mirror and not mirror.startswith(("http://", "https://")):
        return _in_folder(download, Path(mirror), named_by)
    cache = cache_folder() / download.name
    try:
        with locked(cache / ".lock"):  # two studies may ask at once
            return _download(download, [mirror] if mirror else download.homes, cache)
    except OSError as error:  # a full disk, a folder of somebody else's
        reason = error.strerror or error
        raise InputError([f"data.source: {download.name} cannot be kept in {cache}: {reason}"]) from None


def unpacked(path: Path) -> IO[bytes]:
    """Open a file to read its content, decompressed if its name ends with ``.xz`` or ``.gz``."""
    openers = {".xz": lzma.open, ".gz": gzip.open}
    return openers.get(path.suffix, open)(path, "rb")  # type: ignore[operator, no-any-return]


def _in_folder(download: Download, folder: Path, named_by: str) -> dict[str, Path]:
    places = [folder / download.name / "original", folder / download.name, folder]
    found = {}
    for name, sha in download.files.items():
        tried = [place / f"{name}{suffix}" for place in places for suffix in ("", ".xz")]
        path = next((path for path in tried if path.is_file()), None)
        if path is None:
            raise InputError([f"{named_by}: {folder} has no file {name} of {download.name}"])
        if problem := _problem(path, sha):
            raise InputError([f"{named_by}: {path} is not the file that {download.name} has: {problem}"])
        found[name] = path
    return found


def _problem(path: Path, sha: str) -> str:
    """Return what is wrong with a file, decompressed if its name ends with ``.xz``; empty if it has the sha256."""
    if path.suffix != ".xz":
        found = sha256_of(path)
    else:
        try:
            with lzma.open(path) as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except (EOFError, lzma.LZMAError) as error:
            return str(error)
    return "" if found == sha else f"its sha256 is {found:.16}..., expected {sha:.16}..."


def _download(download: Download, homes: Sequence[str], cache: Path) -> dict[str, Path]:
    """Return the files of the cache, after those that are missing or damaged have been downloaded."""
    pooch.get_logger().setLevel("WARNING")  # it would name an address for each file of an archive
    failures = []
    for home in homes:
        store = pooch.create(cache, home, registry=dict(download.files))
        with ExitStack() as stack:
            downloader = _Archive(home, cache, stack) if home.endswith(".zip") else _download_file
            try:
                files = {name: Path(store.fetch(name, downloader=downloader)) for name in download.files}
            except DownloadError as error:
                failures.append(str(error))
                continue
        for part in cache.glob("*.part"):  # from an address that failed
            part.unlink()
        return files
    help_ = f"data.mirror or the variable {FOLDER_VARIABLE} may name a copy"
    raise InputError([f"data.source: {download.name} cannot be downloaded: {'; '.join(failures)}; {help_}"])


def _download_file(address: str, target: str, store: Any) -> None:
    """Download a file of a store of pooch."""
    part = _resume(address, store.abspath)
    if problem := _problem(part, store.registry[address.removeprefix(store.base_url)]):
        part.unlink()
        raise DownloadError(f"{address} is another file: {problem}")
    os.replace(part, target)


class _Archive:
    """Downloader of the files that a ZIP archive holds, directly or in a ZIP archive within it.

    The archive is downloaded with the first file, and removed when ``stack`` is closed.
    """

    def __init__(self, address: str, cache: Path, stack: ExitStack) -> None:
        self._address, self._cache, self._stack = address, cache, stack
        self._archive: zipfile.ZipFile | None = None

    def __call__(self, address: str, target: str, store: Any) -> None:
        """Download a file of a store of pooch."""
        name = address.removeprefix(store.base_url)
        try:
            self._archive = self._archive or self._open()
            member = next((member for member in self._archive.namelist() if f"/{member}".endswith(f"/{name}")), None)
            if member is None:
                raise DownloadError(f"{self._address} holds no {name}")
            with self._archive.open(member) as packed, open(target, "wb") as file:
                shutil.copyfileobj(packed, file)
        except (zipfile.BadZipFile, zlib.error) as error:
            raise DownloadError(f"{self._address}: {error}") from None
        if problem := _problem(Path(target), store.registry[name]):
            raise DownloadError(f"{name} in {self._address} is another: {problem}")

    def _open(self) -> zipfile.ZipFile:
        part = _resume(self._address, self._cache)
        self._stack.callback(part.unlink)
        archive = self._stack.enter_context(zipfile.ZipFile(part))
        inner = [name for name in archive.namelist() if name.endswith(".zip")]
        if inner:
            archive = self._stack.enter_context(zipfile.ZipFile(self._stack.enter_context(archive.open(inner[0]))))
        return archive


def part_of(address: str, cache: Path) -> Path:
    """Return the path of what an address has given so far; a download that broke off is continued from there."""
    return cache / f"{hashlib.sha256(address.encode()).hexdigest()[:16]}.part"


def _resume(address: str, cache: Path) -> Path:
    """Return the path of a file that holds all that an address gives."""
    print(f"downloading {address}", file=sys.stderr)
    part, reason = part_of(address, cache), ""
    for _ in range(ATTEMPTS):
        with part.open("ab") as file:
            try:
                _append(address, file)
                return part
            except requests.HTTPError as error:
                if error.response.status_code == requests.codes.requested_range_not_satisfiable:
                    return part  # nothing is missing
                reason = f"the server answered {error.response.status_code} {error.response.reason}"
                break
            except requests.RequestException as error:
                reason = _reason(error, file.tell())
    raise DownloadError(f"{address}: {reason}")


def _append(address: str, file: IO[bytes]) -> None:
    """Download what a file lacks."""

    def restart(answer: requests.Response, **_: Any) -> None:
        if answer.status_code == requests.codes.ok:  # all of the file, not a range
            file.truncate(0)

    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={file.tell()}-"} if file.tell() else {})
    options = {"headers": headers, "hooks": {"response": restart}, "timeout": PATIENCE}
    pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), chunk_size=BLOCK, **options)(address, file, None)


def _reason(error: requests.RequestException, size: int) -> str:
    if size:
        return f"the connection ended after {size} bytes; the next run goes on from there"
    unreachable = isinstance(error, requests.ConnectionError) and not isinstance(error, requests.exceptions.SSLError)
    return "no connection" if unreachable else str(error).splitlines()[0]

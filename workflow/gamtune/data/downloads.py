"""Files of public data sets from a folder, a mirror or their website, each verified by its sha256.

pooch downloads and caches the files. Two parts are implemented here: pooch restarts an interrupted download instead of
resuming it, and it supports neither several URLs per file nor a ZIP archive within another.
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

BLOCK = 1 << 13  # bytes; the largest amount that an interrupted connection loses
TIMEOUT = 30  # seconds without data
ATTEMPTS = 3  # per URL; each one resumes the previous one
FOLDER_VARIABLE = "GAMTUNE_DATA"


@dataclass(frozen=True)
class Download:
    """The files of a public data set.

    Attributes
    ----------
    name : str
        Name of the source in the config.
    files : mapping
        sha256 of the content of each file, by its path.
    homes : sequence of str
        URLs to try in turn. A URL that ends with ``.zip`` is an archive of all files, which may contain another
        archive; to other URLs the path of a file is appended.
    """

    name: str
    files: Mapping[str, str]
    homes: Sequence[str]


class DownloadError(Exception):
    """A file cannot be downloaded from a URL; the message has one line."""


def fetch(download: Download, mirror: str | None = None) -> dict[str, Path]:
    """Return the local paths of the files of a data set, after verifying their sha256.

    Parameters
    ----------
    download : Download
        The data set.
    mirror : str, optional
        An ``http(s)://`` URL that replaces the websites of the data set, or a folder with the files, which may be
        compressed with xz and may be in a subfolder with the name of the data set. By default the folder in the
        environment variable ``GAMTUNE_DATA``. Downloaded files are kept in `cache_folder`.

    Raises
    ------
    InputError
        If a file is missing, cannot be downloaded or has an unexpected sha256.
    """
    setting = "data.mirror" if mirror else FOLDER_VARIABLE
    mirror = mirror or os.environ.get(FOLDER_VARIABLE)
    if mirror and not mirror.startswith(("http://", "https://")):
        return _in_folder(download, Path(mirror), setting)
    cache = cache_folder() / download.name
    try:
        with locked(cache / ".lock"):  # two studies may download at the same time
            return _download(download, [mirror] if mirror else download.homes, cache)
    except OSError as error:  # such as a full disk or missing permissions
        reason = error.strerror or error
        raise InputError([f"data.source: {download.name} cannot be stored in {cache}: {reason}"]) from None


def unpacked(path: Path) -> IO[bytes]:
    """Open a file to read its content, decompressed if its name ends with ``.xz`` or ``.gz``."""
    openers = {".xz": lzma.open, ".gz": gzip.open}
    return openers.get(path.suffix, open)(path, "rb")  # type: ignore[operator, no-any-return]


def _in_folder(download: Download, folder: Path, setting: str) -> dict[str, Path]:
    folders = [folder / download.name / "original", folder / download.name, folder]
    found = {}
    for name, sha in download.files.items():
        tried = [parent / f"{name}{suffix}" for parent in folders for suffix in ("", ".xz")]
        path = next((path for path in tried if path.is_file()), None)
        if path is None:
            raise InputError([f"{setting}: {folder} does not contain the file {name} of {download.name}"])
        if problem := _problem(path, sha):
            raise InputError([f"{setting}: {path} is not the expected file of {download.name}: {problem}"])
        found[name] = path
    return found


def _problem(path: Path, sha: str) -> str:
    """Return why the content of a file is wrong, empty if it is correct; ``.xz`` files are decompressed first."""
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
    """Download the missing or damaged files of the cache, and return the paths of all files."""
    pooch.get_logger().setLevel("WARNING")  # it would print a URL for each file of an archive
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
        for part in cache.glob("*.part"):  # from a URL that failed
            part.unlink()
        return files
    help_ = f"set data.mirror or the variable {FOLDER_VARIABLE} to a folder with the files"
    raise InputError([f"data.source: {download.name} cannot be downloaded: {'; '.join(failures)}; {help_}"])


def _download_file(address: str, target: str, store: Any) -> None:
    """Download a file of a pooch store."""
    part = _resume(address, store.abspath)
    if problem := _problem(part, store.registry[address.removeprefix(store.base_url)]):
        part.unlink()
        raise DownloadError(f"{address} has unexpected content: {problem}")
    os.replace(part, target)


class _Archive:
    """Downloader of files in a ZIP archive, or in a ZIP archive within it.

    The archive is downloaded when the first file is requested, and is deleted when ``stack`` is closed.
    """

    def __init__(self, address: str, cache: Path, stack: ExitStack) -> None:
        self._address, self._cache, self._stack = address, cache, stack
        self._archive: zipfile.ZipFile | None = None

    def __call__(self, address: str, target: str, store: Any) -> None:
        """Download a file of a pooch store."""
        name = address.removeprefix(store.base_url)
        try:
            self._archive = self._archive or self._open()
            member = next((member for member in self._archive.namelist() if f"/{member}".endswith(f"/{name}")), None)
            if member is None:
                raise DownloadError(f"{self._address} does not contain {name}")
            with self._archive.open(member) as packed, open(target, "wb") as file:
                shutil.copyfileobj(packed, file)
        except (zipfile.BadZipFile, zlib.error) as error:
            raise DownloadError(f"{self._address}: {error}") from None
        if problem := _problem(Path(target), store.registry[name]):
            raise DownloadError(f"{name} in {self._address} has unexpected content: {problem}")

    def _open(self) -> zipfile.ZipFile:
        part = _resume(self._address, self._cache)
        self._stack.callback(part.unlink)
        archive = self._stack.enter_context(zipfile.ZipFile(part))
        inner = [name for name in archive.namelist() if name.endswith(".zip")]
        if inner:
            archive = self._stack.enter_context(zipfile.ZipFile(self._stack.enter_context(archive.open(inner[0]))))
        return archive


def part_of(address: str, cache: Path) -> Path:
    """Return the path of the partial download from a URL, which the next attempt resumes."""
    return cache / f"{hashlib.sha256(address.encode()).hexdigest()[:16]}.part"


def _resume(address: str, cache: Path) -> Path:
    """Download a URL, resuming a partial download, and return the path of the complete file."""
    print(f"downloading {address}", file=sys.stderr)
    part, reason = part_of(address, cache), ""
    for _ in range(ATTEMPTS):
        with part.open("ab") as file:
            try:
                _append(address, file)
                return part
            except requests.HTTPError as error:
                if error.response.status_code == requests.codes.requested_range_not_satisfiable:
                    return part  # the file is already complete
                reason = f"the server answered {error.response.status_code} {error.response.reason}"
                break
            except requests.RequestException as error:
                reason = _reason(error, file.tell())
    raise DownloadError(f"{address}: {reason}")


def _append(address: str, file: IO[bytes]) -> None:
    """Append the missing bytes to a file."""

    def restart(answer: requests.Response, **_: Any) -> None:
        if answer.status_code == requests.codes.ok:  # the server sent the complete file, not a range
            file.truncate(0)

    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={file.tell()}-"} if file.tell() else {})
    options = {"headers": headers, "hooks": {"response": restart}, "timeout": TIMEOUT}
    pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), chunk_size=BLOCK, **options)(address, file, None)


def _reason(error: requests.RequestException, size: int) -> str:
    if size:
        return f"the connection ended after {size} bytes; run again to resume the download"
    unreachable = isinstance(error, requests.ConnectionError) and not isinstance(error, requests.exceptions.SSLError)
    return "no connection" if unreachable else str(error).splitlines()[0]

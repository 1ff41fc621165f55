"""Files of public data sets: from a folder, a mirror or their home, each checked against its sha256."""

import gzip
import hashlib
import lzma
import os
import re
import shutil
import sys
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

import requests
from tqdm import tqdm
from urllib3.exceptions import HTTPError

from gamtune.errors import InputError
from gamtune.files import locked, replacing
from gamtune.runtime.environment import cache_folder

CHUNK = 1 << 20
PATIENCE = 30  # seconds without a byte
ATTEMPTS = 3  # at one address, each going on where the one before stopped
ARCHIVE = "archive.zip"
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
    """What an address did not give, in one line."""


def fetch(download: Download, mirror: str | None = None) -> dict[str, Path]:
    """Paths of a data set's files on this machine, each checked.

    Parameters
    ----------
    download : Download
        The data set.
    mirror : str, optional
        An ``http(s)://`` address in place of the data set's homes, or a folder that holds the files, as they are or
        packed by xz, in place or in a folder named as the data set. Unless given, the folder that the variable
        ``GAMTUNE_DATA`` names. What is downloaded stays in `cache_folder`.

    Raises
    ------
    InputError
        If a file is not there, cannot be downloaded, or holds something else than it should.
    """
    named_by = "data.mirror" if mirror else FOLDER_VARIABLE
    mirror = mirror or os.environ.get(FOLDER_VARIABLE)
    if mirror and not mirror.startswith(("http://", "https://")):
        return _in_folder(download, Path(mirror), named_by)
    cache = cache_folder() / download.name
    try:
        with locked(cache / ".lock"):  # two studies may ask at once
            missing = [name for name, sha in download.files.items() if _sha256(cache / name) != sha]
            if missing:
                _download_from_any(download, [mirror] if mirror else download.homes, missing, cache)
    except OSError as error:  # a full disk, a folder of somebody else's
        raise InputError([f"data.source: {download.name} cannot be kept in {cache}: {error.strerror}"]) from None
    return {name: cache / name for name in download.files}


def unpacked(path: Path) -> IO[bytes]:
    """A file's content, to be read."""
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
        content = _sha256(path)
        if content != sha:
            raise InputError([f"{named_by}: {path} is not the file that {download.name} has: {_differ(content, sha)}"])
        found[name] = path
    return found


def _sha256(path: Path) -> str:
    """Of a file, without its packing by xz; "" where there is none, or what is wrong with it."""
    total = hashlib.sha256()
    try:
        with unpacked(path) if path.suffix == ".xz" else path.open("rb") as file:
            while chunk := file.read(CHUNK):
                total.update(chunk)
    except FileNotFoundError:
        return ""
    except (EOFError, lzma.LZMAError) as error:
        return str(error)
    return total.hexdigest()


def _differ(found: str, expected: str) -> str:
    if not re.fullmatch("[0-9a-f]{64}", found):
        return found
    return f"its sha256 is {found:.16}..., expected {expected:.16}..."


def _download_from_any(download: Download, homes: Sequence[str], missing: Sequence[str], cache: Path) -> None:
    failures = []
    for home in homes:
        try:
            if home.endswith(".zip"):
                _anew_if_stale(cache / ARCHIVE, partial(_from_zip, download, home, missing, cache))
            else:
                for name in missing:
                    address, path = f"{home.rstrip('/')}/{name}", cache / name
                    _anew_if_stale(path, partial(_from_address, address, download.files[name], path))
            return
        except DownloadError as error:
            failures.append(str(error))
    help_ = f"data.mirror or the variable {FOLDER_VARIABLE} may name a copy"
    raise InputError([f"data.source: {download.name} cannot be downloaded: {'; '.join(failures)}; {help_}"])


def _anew_if_stale(path: Path, download: Callable[[], None]) -> None:
    """Download once more from the start where what an earlier run left, and this one took up, was of another file."""
    took_up = _part_of(path).exists()
    try:
        download()
    except DownloadError:
        if not took_up or _part_of(path).exists():  # what is still there is only not all yet
            raise
        download()


def _part_of(path: Path) -> Path:
    """Where a file's first bytes wait for the others."""
    return path.with_name(f"{path.name}.part")


def _from_address(address: str, sha: str, path: Path) -> None:
    part = _downloaded(address, path)
    content = _sha256(part)
    if content != sha:
        part.unlink()
        raise DownloadError(f"{address} is another file: {_differ(content, sha)}")
    os.replace(part, path)


def _from_zip(download: Download, address: str, missing: Sequence[str], cache: Path) -> None:
    part = _downloaded(address, cache / ARCHIVE)
    try:
        with ExitStack() as stack:
            archive = stack.enter_context(zipfile.ZipFile(part))
            inner = [name for name in archive.namelist() if name.endswith(".zip")]
            if inner:
                archive = stack.enter_context(zipfile.ZipFile(stack.enter_context(archive.open(inner[0]))))
            for name in missing:
                member = next((member for member in archive.namelist() if f"/{member}".endswith(f"/{name}")), None)
                if member is None:
                    raise DownloadError(f"{address} holds no {name}")
                with replacing(cache / name) as aside:
                    with archive.open(member) as packed, aside.open("wb") as file:
                        shutil.copyfileobj(packed, file, CHUNK)
                    content = _sha256(aside)
                    if content != download.files[name]:
                        raise DownloadError(f"{name} in {address} is another: {_differ(content, download.files[name])}")
    except (zipfile.BadZipFile, zlib.error) as error:
        raise DownloadError(f"{address}: {error}") from None
    finally:
        part.unlink()


def _downloaded(address: str, path: Path) -> Path:
    """A file beside ``path`` with all that the address gives; a broken connection is taken up where it broke.

    What has come stays there when it is not all, for the next call.
    """
    part = _part_of(path)
    part.parent.mkdir(parents=True, exist_ok=True)
    print(f"downloading {address}", file=sys.stderr)
    reason = ""
    for _ in range(ATTEMPTS):
        try:
            if _continued(address, part):
                return part
            reason = f"the connection ended after {part.stat().st_size} bytes; the next run goes on from there"
        except requests.RequestException as error:
            reason = _reason(error)
            if isinstance(error, requests.HTTPError):
                break
    raise DownloadError(f"{address}: {reason}")


def _continued(address: str, part: Path) -> bool:
    """Append what is missing; False if the connection ended before all had come."""
    begin = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={begin}-", "Accept-Encoding": "identity"} if begin else {"Accept-Encoding": "identity"}
    with requests.get(address, headers=headers, stream=True, timeout=PATIENCE) as answer:
        if answer.status_code == requests.codes.requested_range_not_satisfiable:
            if answer.headers.get("Content-Range", "").endswith(f"/{begin}"):
                return True  # an earlier call had it all
            part.unlink()  # it holds more than there is
            return _continued(address, part)
        answer.raise_for_status()
        if answer.status_code != requests.codes.partial_content:
            begin = 0  # the server begins anew
        length = int(answer.headers.get("Content-Length", -1))
        total = begin + length if length >= 0 else None
        with (
            part.open("ab" if begin else "wb") as file,
            tqdm(total=total, initial=begin, unit="B", unit_scale=True, desc=part.stem, disable=None) as progress,
        ):
            while chunk := _next_chunk(answer):
                file.write(chunk)
                progress.update(len(chunk))
            return chunk is not None and (total is None or file.tell() == total)


def _next_chunk(answer: requests.Response) -> bytes | None:
    """What comes next; nothing at the end, None if the connection broke."""
    try:
        return bytes(answer.raw.read1(CHUNK))
    except (HTTPError, OSError):
        return None


def _reason(error: requests.RequestException) -> str:
    if error.response is not None:
        return f"the server answered {error.response.status_code} {error.response.reason}"
    unreachable = isinstance(error, requests.ConnectionError) and not isinstance(error, requests.exceptions.SSLError)
    return "no connection" if unreachable else str(error).splitlines()[0]

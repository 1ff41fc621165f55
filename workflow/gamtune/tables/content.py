"""Read a table file as UTF-8 text: decompress and decode it, and check that it is text."""

import bz2
import codecs
import gzip
import lzma
import stat
import zlib
from pathlib import Path
from typing import Any

from gamtune.errors import InputError
from gamtune.tables.dialect import Dialect

COMPRESSED: tuple[tuple[bytes, str, Any], ...] = (  # Any, because the functions are overloaded
    (b"\x1f\x8b", "gzip", gzip.open),
    (b"BZh", "bzip2", bz2.open),
    (b"\xfd7zXZ\x00", "xz", lzma.open),
)
BINARY = (
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook; unpack it, or save the sheet as CSV"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook (.xls); save the sheet as CSV"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd; decompress it, or compress it with gzip"),
    (b"\x04\x22\x4d\x18", "compressed with lz4; decompress it, or compress it with gzip"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it"),
    (b"Rar!", "a RAR archive; unpack it"),
    (b"ARROW1", "an Arrow (Feather) file; save it as Parquet or CSV"),
    (b"\x89HDF", "an HDF5 file; save the table as Parquet or CSV"),
    (b"SQLite format 3", "an SQLite database; save the table as CSV"),
    (b"%PDF", "a PDF document; save the table as CSV"),
    (b"\x93NUMPY", "a NumPy array; save it as CSV or Parquet"),
)
PARQUET = b"PAR1"
# UTF-32 comes first, because its little-endian mark begins with that of UTF-16
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def load(path: Path, limit: int = -1) -> bytes:
    """Return the bytes of a file, decompressed if it is compressed with gzip, bzip2 or xz.

    Parameters
    ----------
    path : Path
        The file; its compression is detected by its content, not by its name.
    limit : int
        Maximum number of bytes to return; -1 for all.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    if "\0" in str(path):
        raise InputError(["cannot be read: the name contains a NUL character"], repr(str(path)))
    try:
        mode = path.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
            raise InputError([f"is {'a folder' if stat.S_ISDIR(mode) else 'a device'}, expected a file"], str(path))
        with path.open("rb") as file:
            head = file.peek(16)
            for mark, name, opened in COMPRESSED:
                if head.startswith(mark):
                    try:
                        with opened(file) as content:
                            return bytes(content.read(limit))
                    except (EOFError, OSError, zlib.error, lzma.LZMAError):
                        raise InputError([f"the {name} file is damaged or truncated"], str(path)) from None
            return file.read(limit)
    except OSError as error:
        raise InputError([f"cannot be read: {error.strerror or error}"], str(path)) from None


def is_ascii_based(content: bytes, dialect: Dialect) -> bool:
    """Return whether every byte 0x0A of the content is a line break, as in UTF-8 but not in UTF-16."""
    return dialect.encoding is None and not any(content.startswith(mark) for mark, name in MARKS if name != "utf-8")


def as_utf8(content: bytes, path: Path, dialect: Dialect) -> bytes:
    """Return the content of a CSV file as UTF-8 without a byte order mark.

    Parameters
    ----------
    content : bytes
        The content as returned by `load`; a part of a file must end with a line break.
    path : Path
        The file, for messages.
    dialect : Dialect
        Format of the file, with its declared encoding.

    Raises
    ------
    InputError
        If the content is not text or does not have the declared encoding.
    """
    for mark, what in BINARY:
        if content.startswith(mark):
            raise InputError([f"is {what}"], str(path))
    encoding = next((name for mark, name in MARKS if content.startswith(mark)), None) or dialect.encoding
    if encoding is not None and codecs.lookup(encoding).name != "utf-8":
        content = _decoded(content, encoding, path, dialect).encode()
    content = content.removeprefix(codecs.BOM_UTF8)
    _check_nul(content, path, dialect)
    try:
        if not content.isascii():
            content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        advice = dialect.advice("encoding: latin-1", "save the file as UTF-8")
        found = f"line {line}: byte 0x{content[error.start]:02x} is not valid UTF-8"
        raise InputError([f"{found}; {advice} if it was saved with a Western Windows encoding"], str(path)) from None
    return content


def _decoded(content: bytes, encoding: str, path: Path, dialect: Dialect) -> str:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].decode(encoding, "ignore").count("\n") + 1
        raise InputError([f"line {line}: the text is not valid in the encoding {encoding}"], str(path)) from None
    if dialect.encoding == encoding and not content.isascii() and b"\0" not in content:
        try:
            content.decode("utf-8")
        except UnicodeDecodeError:
            return text
        raise InputError([f"is encoded in UTF-8, but the declared encoding is {encoding}"], str(path))
    return text


def _check_nul(content: bytes, path: Path, dialect: Dialect) -> None:
    position = content.find(b"\0")
    if position < 0:
        return
    pairs = content[:200]
    for name, start in (("utf-16-le", 1), ("utf-16-be", 0)):
        if not any(pairs[start::2]):
            advice = dialect.advice(f"encoding: {name}", "save it as UTF-8")
            raise InputError([f"is encoded in UTF-16 without a byte order mark; {advice}"], str(path))
    line = content.count(b"\n", 0, position) + 1
    raise InputError([f"line {line} contains a NUL byte: the file is damaged or not text"], str(path))

"""Compare prepared arrays with the fingerprints in ``dataset.json`` before a model is trained on them."""

import hashlib
import json
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gamtune.data.arrays import Prepared
from gamtune.errors import DamagedError
from gamtune.files import replacing
from gamtune.results.dataset import DatasetInfo
from gamtune.results.layout import DataFolder
from gamtune.results.record import PARTS

VALID_FOR = 3600  # seconds until an array is compared again, since disks can lose bytes without an error
UNSETTLED = 2  # seconds; a file written so recently may change without changing its time stamp


def array_fingerprint(array: npt.NDArray[Any]) -> str:
    """Return the sha256 of an array's type, shape and values."""
    hashed = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    hashed.update(np.ascontiguousarray(array).data.cast("B") if array.size else b"")
    return hashed.hexdigest()


def open_intact(data_info: Path, parts: Collection[str] = PARTS) -> Prepared:
    """Open a prepared data set after comparing its arrays with the fingerprints in its ``dataset.json``.

    An array is not read again if it was compared within the last hour and has not been written since.

    Parameters
    ----------
    data_info : Path
        ``dataset.json`` of the data set.
    parts : collection of str
        The parts whose arrays are compared.

    Raises
    ------
    DamagedError
        If ``dataset.json`` or an array is damaged, or an array is missing.
    FileNotFoundError
        If ``dataset.json`` is missing.
    """
    info = DatasetInfo.read(data_info)
    if not info.arrays:
        raise DamagedError(data_info, "it has no 'arrays'")
    folder = DataFolder(data_info.parent)
    cached = _read_cache(folder.compared)
    checked = {}
    for path in (folder.array(axis, part) for part in parts for axis in "xy"):
        name, now = path.stem, time.time()
        with invalidate_if_damaged(data_info):
            fingerprint = info.arrays[name]
            entry = {"stamp": _stamp(path), "array": fingerprint}
            if {key: cached.get(name, {}).get(key) for key in entry} != entry:
                _check(path, fingerprint)
                if now - path.stat().st_ctime > UNSETTLED:
                    checked[name] = entry | {"at": now}
    if checked:
        with (
            suppress(OSError),
            replacing(folder.compared, flushed=False) as part,
        ):  # without the cache, the arrays are compared again
            part.write_text(json.dumps(cached | checked), encoding="utf-8")
    return Prepared.open(data_info)


@contextmanager
def invalidate_if_damaged(data_info: Path) -> Iterator[None]:
    """Delete ``dataset.json`` if a file that it describes is damaged or missing.

    The next run then prepares the data again. ``dataset.json`` is the only data file that is an input of the trials, so
    Snakemake does not notice that another file is missing.

    Raises
    ------
    DamagedError
        If a file is damaged or missing.
    """
    try:
        yield
    except (DamagedError, FileNotFoundError) as error:
        problem = error.problem if isinstance(error, DamagedError) else "it is missing"
        path = error.source if isinstance(error, DamagedError) else error.filename
        with suppress(OSError):
            data_info.unlink(missing_ok=True)
        remedy = "run again" if not data_info.exists() else f"delete {data_info} and run again"
        raise DamagedError(path, problem, f"{remedy} to prepare the data again") from None


def _check(path: Path, fingerprint: str) -> None:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, SyntaxError) as error:  # no header, or fewer values than stated in the header
        raise DamagedError(path, f"it is not a complete array ({str(error).splitlines()[0]})") from None
    if array_fingerprint(array) != fingerprint:
        raise DamagedError(path, "its values do not match the fingerprint in dataset.json")


def _stamp(path: Path) -> list[int]:
    """Return file attributes of which at least one changes when a file is written or replaced."""
    status = path.stat()
    return [status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def _read_cache(path: Path) -> dict[str, Any]:
    try:
        cache = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    entries = cache.items() if isinstance(cache, dict) else ()
    return {name: entry for name, entry in entries if isinstance(entry, dict) and _is_fresh(entry.get("at"))}


def _is_fresh(at: Any) -> bool:
    return isinstance(at, int | float) and 0 <= time.time() - at < VALID_FOR

"""Cache of the fingerprints of source files, since parsing the whole library takes 0.25 s.

The cache is one file; joblib.Memory would write one file per source file.
"""

import hashlib
import json
import sys
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from pathlib import Path

from gamtune.files import replacing
from gamtune.runtime.environment import cache_folder
from gamtune.runtime.syntax import FORMAT, Source, read_source

LIMIT = 5000  # entries; if there are more, only those that this process has used are kept


class SourceCache:
    """Sources by the SHA-256 of their files, so that several checkouts share their entries.

    Parameters
    ----------
    file : Path
        The cache. If it is missing, damaged or cannot be written, the sources are parsed again.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._sources = _load(file)
        self._used: dict[str, Source] = {}
        self._keys: dict[tuple[Path, int, int], str] = {}
        self._saved = len(self._sources)

    def source(self, path: Path) -> Source:
        """Return the fingerprint and the imports of a source file.

        Raises
        ------
        SyntaxError
            If the file is not valid Python.
        """
        status = path.stat()
        stamp = path, status.st_mtime_ns, status.st_size
        if stamp not in self._keys:
            text = path.read_bytes()
            key = hashlib.sha256(text).hexdigest()
            if key not in self._sources:
                self._sources[key] = read_source(text)
            self._used[key] = self._sources[key]
            self._keys[stamp] = key
        return self._used[self._keys[stamp]]

    def save(self) -> None:
        """Write the cache if it has new entries."""
        if len(self._sources) == self._saved:
            return
        if len(self._sources) > LIMIT:
            self._sources = dict(self._used)
        self._saved = len(self._sources)
        content = json.dumps({key: asdict(source) for key, source in self._sources.items()})
        with suppress(OSError), replacing(self._file, flushed=False) as part:
            part.write_text(f"{_checksum(content)}\n{content}", encoding="utf-8")


@cache
def source_cache() -> SourceCache:
    """Return the cache of this user and this version of Python."""
    return SourceCache(cache_folder() / f"code-{FORMAT}-{sys.version_info.major}.{sys.version_info.minor}.json")


def _load(file: Path) -> dict[str, Source]:
    try:
        checksum, _, content = file.read_text(encoding="utf-8").partition("\n")
        if checksum != _checksum(content):
            return {}
        return {key: Source(one["fingerprint"], tuple(one["imports"])) for key, one in json.loads(content).items()}
    except (OSError, ValueError):
        return {}


def _checksum(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()

"""The fingerprint of the training code, which every trial needs.

Reading the sources takes 0.02 s, and the versions of the libraries 0.02 s. The result is therefore cached together with
the status of all files and folders that it depends on: a job only compares these. joblib.Memory would import more than
it saves.
"""

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from gamtune.runtime.environment import LIBRARY, cache_folder

LIBRARIES = ("keras", "numpy", "tensorflow")  # their versions are included, since an upgrade may change the results
UNSETTLED = 2_000_000_000  # nanoseconds; a file written so recently may change without changing its status
Stamps = dict[str, list[int]]


def training_code() -> str:
    """Return the fingerprint of the training code and of the versions of its libraries, a hexadecimal SHA-256."""
    file = _cache()
    with suppress(OSError, ValueError, KeyError, TypeError):  # the cache is missing or damaged, or a file has changed
        content = json.loads(file.read_bytes())
        if content["stamps"] == _stamps(content["stamps"]):
            return str(content["code"])
    from gamtune.runtime.fingerprint import (  # imported if needed, as it is slow
        closure,
        code_fingerprint,
        with_versions,
    )

    files = closure("gamtune.learners.trial")
    folders = {folder for path in files for folder in path.parents if folder.is_relative_to(LIBRARY / "gamtune")}
    stamps = _stamps(map(str, (*files, *sorted(folders), *_installed())))
    code = with_versions(code_fingerprint("gamtune.learners.trial"), LIBRARIES)
    newest = max(max(stamp[-2:]) for stamp in stamps.values())
    if stamps == _stamps(stamps) and time.time_ns() - newest > UNSETTLED:
        from gamtune.files import replacing

        with suppress(OSError), replacing(file, flushed=False) as part:
            part.write_text(json.dumps({"code": code, "stamps": stamps}), encoding="utf-8")
    return code


def _cache() -> Path:
    """Return the cache of this checkout and this environment."""
    environment = json.dumps([str(LIBRARY), sys.version, sys.prefix, os.environ.get("PYTHONPATH")])
    return cache_folder() / f"training-{hashlib.sha256(environment.encode()).hexdigest()[:16]}.json"


def _installed() -> Iterable[Path]:
    """Return the folders of the libraries' packages, which change when a package is installed or removed."""
    from importlib.metadata import distribution

    return {Path(str(distribution(library).locate_file(""))) for library in LIBRARIES}


def _stamps(paths: Iterable[str]) -> Stamps:
    """Return attributes of files and folders, of which at least one changes when a file is written or replaced."""
    found = {path: os.stat(path) for path in paths}
    return {
        path: [status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]
        for path, status in found.items()
    }

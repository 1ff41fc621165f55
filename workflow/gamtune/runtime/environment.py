"""The environment that gamtune runs in: the path of Python, folders for caches, and messages about disk errors."""

import errno
import os
import sys
from pathlib import Path

LIBRARY = Path(__file__).resolve().parents[2]  # the folder of the package, for PYTHONPATH
# Errors of a disk, a folder or permissions, which are reported in one line, with advice
ADVICE = {
    errno.ENOSPC: "free some space and run again",
    errno.EDQUOT: "free some of your quota and run again",
    errno.EROFS: "work in a folder that can be written",
    errno.EACCES: "ask its owner for permission, or work in another folder",
    errno.EPERM: "ask its owner for permission, or work in another folder",
    errno.EFBIG: "raise the limit of file sizes (ulimit -f) and run again",
    errno.EMFILE: "raise the limit of open files (ulimit -n) and run again",
    errno.ENOENT: "",
    errno.ENOTDIR: "",
    errno.EISDIR: "",
    errno.ENAMETOOLONG: "",
    errno.EIO: "check the disk",
    errno.ESTALE: "check the network file system",
}
CACHES = {"XDG_CACHE_HOME": ".cache", "MPLCONFIGDIR": ".config/matplotlib"}  # variables and their folders in HOME


def cache_folder() -> Path:
    """Return the folder for downloads and other caches of all studies, in ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gamtune"


def own_python_first() -> None:
    """Put the folder of this Python first on PATH, which jobs inherit; conda's activation still comes before it."""
    os.environ["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])


def with_library(library: str) -> str:
    """Return a PYTHONPATH that contains the folder of the library and the PYTHONPATH of this process."""
    return os.pathsep.join(filter(None, [library, os.environ.get("PYTHONPATH")]))


def describe_disk_error(error: OSError) -> str | None:
    """Return one line about a full disk, a read-only folder or a similar error; None for other errors.

    Examples
    --------
    >>> describe_disk_error(OSError(errno.ENOSPC, "No space left on device", "results/a.csv"))
    'results/a.csv: No space left on device; free some space and run again'
    """
    if error.errno not in ADVICE:
        return None
    path = error.filename or f"output of this command, in {Path.cwd()}"
    advice = ADVICE[error.errno]
    return f"{path}: {error.strerror}" + (f"; {advice}" if advice else "")


def use_writable_caches() -> None:
    """Use the temporary folder for the caches of Matplotlib, Snakemake and downloads if HOME cannot be written.

    Child processes inherit the variables. A variable that the user has set is not changed.
    """
    home = Path(os.path.expanduser("~"))
    missing = [name for name, folder in CACHES.items() if name not in os.environ and not _can_hold_files(home / folder)]
    if missing:
        import tempfile  # imported if needed, because every job imports this module

        folder = Path(tempfile.gettempdir(), f"gamtune-cache-{os.getuid()}")
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.stat().st_uid != os.getuid() or folder.is_symlink():  # another user may have created it
            folder = Path(tempfile.mkdtemp(prefix="gamtune-cache-"))
        os.environ |= {name: str(folder / Path(CACHES[name]).name) for name in missing}
        for name in missing:
            Path(os.environ[name]).mkdir(exist_ok=True)


def _can_hold_files(folder: Path) -> bool:
    """Return whether a folder can be written, or created if it does not exist."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)

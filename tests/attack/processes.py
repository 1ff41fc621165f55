"""Processes of a run, which are found by their working directory and have a role."""

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROLES = ("snakemake", "server", "child", "job", "follower", "sync")


@dataclass(frozen=True)
class Process:
    """A process of a run.

    Parameters
    ----------
    pid : int
        Process id.
    role : str
        One of `ROLES`, or "other".
    command : str
        Command line.
    """

    pid: int
    role: str
    command: str


def processes(folder: Path) -> Iterator[Process]:
    """Yield the running processes whose working directory is a folder."""
    directory = folder.resolve()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if Path(os.readlink(entry / "cwd")) != directory:
                continue
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if state != "Z":
                yield Process(int(entry.name), _role(command, int(parent)), command)


def _role(command: str, parent: int) -> str:
    if "gamtune.runtime.server" in command:
        with contextlib.suppress(OSError):
            if "gamtune.runtime.server" in Path(f"/proc/{parent}/cmdline").read_text():
                return "child"
        return "server"
    if "gamtune sync" in command:
        return "follower" if "--follow" in command else "sync"
    if command.startswith(("/bin/bash", "bash", "make ")):  # the arguments of make contain the name of Snakemake
        return "other"
    if " gamtune train" in command or "-m gamtune" in command or "gamtune/__main__" in command:
        return "job"
    return "snakemake" if "snakemake --" in command else "other"


def ended(folder: Path, seconds: float) -> bool:
    """Wait until no process works in a folder; return whether all have ended in time."""
    deadline = time.monotonic() + seconds
    while any(True for _ in processes(folder)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True

"""Measure wall time, CPU time and peak memory of commands on Linux, and format repeated measurements."""

import ctypes
import os
import resource
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
SAMPLE_SECONDS = 1.0


def spread(values: Sequence[float], digits: int, unit: str = "") -> str:
    """Return the median and the range as text."""
    return f"{median(values):.{digits}f}{unit} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def run_once(command: Sequence[object], **options: Any) -> tuple[resource.struct_rusage, str]:
    """Return the resources and the output of a process, including the children that it waited for."""
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    output = process.stdout.read().decode() if process.stdout else ""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(output)
    return used, output


@dataclass(frozen=True)
class Cost:
    """Resources that a command used, and the last line of its output."""

    seconds: float
    cpu_seconds: float
    peak_megabytes: float
    output: str


def measure(command: list[str], folder: Path, environment: dict[str, str], timeout: float = 3600) -> Cost:
    """Run a command and return its resources; raise RuntimeError if it fails."""
    become_subreaper()
    before, samples, ended = _cpu_seconds(), Samples(), threading.Event()
    sampler = threading.Thread(target=samples.take, args=(ended,))
    start = time.perf_counter()
    sampler.start()
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, timeout=timeout,
        check=False,
    )  # fmt: skip
    seconds = time.perf_counter() - start
    reap_orphans()
    ended.set()
    sampler.join()
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {(done.stdout + done.stderr)[-2000:]}")
    cpu_seconds = max(_cpu_seconds() - before, sum(samples.cpu_seconds.values()))
    return Cost(seconds, cpu_seconds, samples.peak_megabytes, done.stdout.strip().splitlines()[-1])


def become_subreaper() -> None:
    """Adopt orphaned descendants of this process, so that their time is counted."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def reap_orphans(patience: float = 20) -> None:
    """Wait for processes that a command left running, and kill those that do not end."""
    deadline = time.monotonic() + patience
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            if time.monotonic() > deadline:
                for process in _descendants():
                    os.kill(process, 9)
            time.sleep(0.05)


def _descendants() -> list[int]:
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, _, rest = stat.read_text().partition(" (")
            parents[int(pid)] = int(rest.rpartition(")")[2].split()[1])
        except OSError:
            continue
    family, found = {os.getpid()}, []
    while new := [pid for pid, parent in parents.items() if parent in family and pid not in family]:
        family.update(new)
        found += new
    return found


@dataclass
class Samples:
    """Peak memory and CPU time of all descendants.

    The peak is the largest sum of proportional set sizes, in which shared memory counts once. The CPU time of each process
    is sampled because the parent of some processes (of Ray) does not wait for them.
    """

    peak_megabytes: float = 0
    cpu_seconds: dict[int, float] = field(default_factory=dict)

    def take(self, ended: threading.Event) -> None:
        """Sample once per second."""
        while not ended.wait(SAMPLE_SECONDS):
            total = 0
            for pid in _descendants():
                try:
                    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
                except OSError:
                    continue
                self.cpu_seconds[pid] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
                total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
            self.peak_megabytes = max(self.peak_megabytes, total / 1024)

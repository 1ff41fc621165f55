"""A process that replaces Snakemake in tests: it starts a server of workers and jobs, which tests observe and end."""

import contextlib
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from gamtune.config.settings import make_spec
from gamtune.runtime.environment import LIBRARY

SHORT = make_spec({"neurons": [16, 12], "epochs": 3, "hidden_dropout": 0.3, "l1": 1e-4}, 1)
ENDLESS = make_spec({"neurons": [200, 200], "epochs": 1_000_000, "patience": 1_000_000}, 1)
# Starts a server of workers like the workflow, then starts jobs as its children like Snakemake
RUN = """
import json, os, subprocess, sys
from pathlib import Path
from gamtune.runtime.warm import VARIABLE, start_server
start_server(Path(sys.argv[1]), expected="expected" in sys.argv)
print(os.environ[VARIABLE], flush=True)
for line in sys.stdin:
    job = json.loads(line)
    with open(job["log"], "w") as log:
        process = subprocess.Popen(job["command"], env=os.environ | job["variables"], stdout=log, stderr=log)
    print(process.pid, flush=True)
"""


def alive(pid):
    """Return whether a process exists and is not a zombie."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def children(pid):
    """Return the ids of the child processes of a process."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def until(condition, seconds=60):
    """Wait until a condition is true and return its result."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if result := condition():
            return result
        time.sleep(0.02)
    raise AssertionError(f"the condition was not true within {seconds} s")


@dataclass
class Run:
    """A process that replaces Snakemake: it has started a server of workers, and starts jobs."""

    folder: Path
    digits: Path
    group: Path | None = None  # memory cgroup of all processes
    expected: bool = False
    process: subprocess.Popen = field(init=False)
    token: str = field(init=False)

    def __post_init__(self):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GAMTUNE_")}
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUN, str(self.folder / "workers.txt"), *(["expected"] if self.expected else [])],
            env={**environment, "PYTHONPATH": str(LIBRARY)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            preexec_fn=(lambda: (self.group / "cgroup.procs").write_text(str(os.getpid()))) if self.group else None,
        )  # fmt: skip
        self.token = self.process.stdout.readline().strip()
        self.server = until(lambda: children(self.process.pid))[0]

    @property
    def trials(self):
        """Process ids of the children of the server that run a job; idle workers print to the log of the server."""
        return [
            pid for pid in self.workers if os.path.realpath(f"/proc/{pid}/fd/1") != str(self.folder / "workers.txt")
        ]

    @property
    def workers(self):
        """Process ids of the children of the server."""
        return children(self.server)

    def job(self, name, spec=SHORT, attempt=1, worker_server=None, data=None, variables=None):
        """Start a job, by default with the server of workers of the run, and return its process id."""
        command = [sys.executable, "-m", "gamtune", "train", "--spec", spec.to_json(), "--data", data or self.digits]
        command += ["--record", self.folder / name / "record.json", "--store", self.folder / f"store {name}"]
        command += ["--attempt", attempt, "--attempts", 2]
        variables = (variables or {}) | ({} if worker_server is None else {"GAMTUNE_WORKERS": worker_server})
        job = {"command": list(map(str, command)), "variables": variables, "log": f"{self.folder / name}.txt"}
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def log(self, name):
        return (self.folder / f"{name}.txt").read_text()

    def wait_for_epochs(self, name):
        until(lambda: "epoch 1/" in self.log(name))

    def record(self, name):
        return json.loads((self.folder / name / "record.json").read_text())

    def left_in_store(self, name):
        return [path.name for path in (self.folder / f"store {name}").glob("*")]

    def end(self):
        self.process.kill()
        self.process.wait()


def cpu_seconds(pid):
    """Return the CPU time of a process in seconds; 0 if it has ended."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0


def without_times(record):
    """Return a record without the times, which differ between two runs of a trial."""
    history = {name: curve for name, curve in record["history"].items() if name != "time"}
    return {name: value for name, value in record.items() if name not in ("started", "finished", "seconds")} | {
        "history": history
    }


def has_tensorflow(pid):
    """Return whether a process has imported TensorFlow."""
    return "libtensorflow" in Path(f"/proc/{pid}/maps").read_text()

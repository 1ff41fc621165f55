"""Local servers for the duration of a test."""

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path


def free_port() -> int:
    """Return an unused local port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def status(url: str, host: str | None = None) -> int:
    """Return the HTTP status of a GET request, 0 without a response. ``host`` is the value of its Host header."""
    request = urllib.request.Request(url, headers={"Host": host} if host else {})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


@contextmanager
def serving(
    command: Sequence[str], health: str, log: Path, cwd: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server within a block, from its first healthy response; its process group is killed at the end."""
    with log.open("ab") as out:
        server = subprocess.Popen(
            command, cwd=cwd, env={**os.environ, **(environment or {})}, stdout=out, stderr=out, start_new_session=True
        )
        try:
            deadline = time.monotonic() + 120
            while status(health) != 200:
                if server.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(log.read_text())
                time.sleep(0.2)
            yield server
        finally:
            stop(server)


def stop(server: "subprocess.Popen[bytes]", number: int = signal.SIGTERM) -> None:
    """End a server and its workers."""
    for sent in (number, signal.SIGKILL):
        try:
            os.killpg(server.pid, sent)
        except ProcessLookupError:
            break
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            continue
    server.wait()

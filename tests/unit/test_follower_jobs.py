"""The follower runs the sync of a job, so that MLflow is imported once per run."""

import os
import signal
import subprocess
import sys

import pytest
from configs import CONFIG
from tracked import Study

from gamtune.runtime.environment import LIBRARY
from gamtune.runtime.served import listen
from gamtune.tracking.start import FOLLOWER

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="the sockets are Linux only")]
FOLLOW = """
import socket, sys
from pathlib import Path
from gamtune.tracking.follow import follow
from gamtune.tracking.study import TrackedStudy
study = TrackedStudy(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
follow(study, int(sys.argv[4]), 600, 600, socket.socket(fileno=int(sys.argv[5])))
"""
JOB = "import sys; from gamtune.tracking.start import sync_in_follower; print('code', sync_in_follower(sys.argv[1:]))"


@pytest.fixture
def follower(tmp_path, monkeypatch):
    """Start a follower that makes no pass, and return its process; jobs of this process find it."""
    study = Study(tmp_path)
    listener, token = listen()
    arguments = [study.name, study.uri, study.results, os.getpid(), listener.fileno()]
    monkeypatch.setenv("PYTHONPATH", str(LIBRARY))
    with listener, (tmp_path / "follower.txt").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", FOLLOW, *map(str, arguments)],
            pass_fds=[listener.fileno()], stdout=log, stderr=log,
        )  # fmt: skip
    monkeypatch.setenv(FOLLOWER, token)
    yield process
    process.kill()
    process.wait()


def job(*arguments):
    """Return the output of a job that runs a command in the follower."""
    done = subprocess.run([sys.executable, "-c", JOB, *map(str, arguments)], capture_output=True, text=True, check=True)
    return done.stdout, done.stderr


def test_the_follower_runs_the_command_of_a_job_with_its_output_and_exit_code(follower, tmp_path):
    (tmp_path / "study.yaml").write_text(str(CONFIG))
    output, errors = job("table", tmp_path / "study.yaml")
    assert output.startswith("trial,name,replicate,")
    assert output.endswith("code 0\n")
    assert errors == ""
    (tmp_path / "study.yaml").write_text("{}")
    output, errors = job("check", tmp_path / "study.yaml")
    assert output == "code 2\n"
    assert "study: missing" in errors
    assert (tmp_path / "follower.txt").read_text() == ""
    assert follower.poll() is None


def test_a_job_of_a_follower_that_has_ended_runs_in_its_process(follower, tmp_path):
    follower.kill()
    follower.wait()
    assert job("check", tmp_path / "study.yaml") == ("code None\n", "")


def test_a_follower_that_waits_for_jobs_ends_on_sigterm(follower, tmp_path):
    (tmp_path / "study.yaml").write_text(str(CONFIG))
    job("table", tmp_path / "study.yaml")
    follower.send_signal(signal.SIGTERM)
    assert follower.wait(5) == 0

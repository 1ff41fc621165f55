"""Runs and their processes end on SIGINT and when their parent process ends."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from gamtune.runtime.environment import LIBRARY
from gamtune.runtime.parent import RUN, is_alive, this_process

INTERRUPTED = """
import os, signal, time
from types import SimpleNamespace
from gamtune.runtime.interrupt import end_jobs_on_interrupt, interrupt_quietly
ended = []
interrupt_quietly()
shell = SimpleNamespace(terminate=ended.append)
end_jobs_on_interrupt(SimpleNamespace(dag=SimpleNamespace(jobs=[SimpleNamespace(jobid=7)])), shell)
try:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(60)
finally:
    while len(ended) < 2:
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGINT)
    print("cleared up", ended[:2], flush=True)
"""
# As extension modules do
SPOILING = """
import os, signal
try:
    os.kill(os.getpid(), signal.SIGINT)
    signal.pause()
except BaseException:
    raise ImportError("the module could not be initialised")
"""
# A command that takes long, and a process that starts it as a job of a run or as a user
STEP = """
import os, time
from types import SimpleNamespace
from gamtune.cli import main as cli
options = SimpleNamespace(command='table', run=lambda _: (print(os.getpid(), flush=True), time.sleep(60)))
cli._parser = lambda arguments: SimpleNamespace(parse_args=lambda _: options)
cli.main()
"""
PARENT = """
import os, subprocess, sys
from gamtune.runtime.parent import RUN, this_process
os.environ.pop(RUN, None)
if len(sys.argv) > 2:
    os.environ[RUN] = this_process()
subprocess.run([sys.executable, "-c", sys.argv[1]])
"""


def run(*arguments, **variables):
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY), **variables}
    return subprocess.run(
        [sys.executable, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def test_an_interrupt_ends_the_jobs_and_a_second_one_has_no_effect():
    done = run("-c", INTERRUPTED)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "cleared up [7, 7]\n", "")


def test_an_interrupt_during_an_import_ends_the_process_silently(tmp_path):
    (tmp_path / "spoiling.py").write_text(SPOILING)
    start = "from gamtune.runtime.interrupt import interrupt_quietly; interrupt_quietly()"
    done = run("-c", f"import sys; sys.path.append({str(tmp_path)!r}); {start}; import spoiling")
    assert (done.returncode, done.stdout, done.stderr) == (128 + signal.SIGINT, "", "")


@pytest.mark.parametrize("seconds", [0.2, 0.4, 0.8])
def test_an_interrupt_while_a_command_starts_prints_nothing(tmp_path, seconds):
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY)}
    command = [sys.executable, "-m", "gamtune", "ui", "missing.yaml"]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as step:
        time.sleep(seconds)
        step.send_signal(signal.SIGINT)
        assert "Traceback" not in step.stderr.read()
    # Ended by the signal, or with code 2 because the missing file was reported before the signal
    assert step.returncode in (128 + signal.SIGINT, -signal.SIGINT, 2)


def test_an_ignored_interrupt_stays_ignored():
    ignore = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    done = run("-c", ignore + INTERRUPTED.replace("time.sleep(60)", "ended.extend('ab')"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "cleared up ['a', 'b']\n", "")


@pytest.mark.skipif(sys.platform != "linux", reason="processes end with their parents on Linux only")
def test_a_step_whose_run_has_ended_does_nothing():
    with subprocess.Popen(["true"]) as gone:
        pass
    namespace = this_process().partition("@")[2]
    step = "-c", "from gamtune.cli.main import main; main(['unknown command'])"
    assert run(*step, **{RUN: f"{gone.pid}@{namespace}"}).returncode == -signal.SIGTERM
    assert run(*step, **{RUN: f"{gone.pid}@pid:[1]"}).returncode == 2  # in another container
    assert run(*step, **{RUN: this_process()}).returncode == 2


@pytest.mark.skipif(sys.platform != "linux", reason="processes end with their parents on Linux only")
@pytest.mark.parametrize("of_run", [True, False], ids=["of a run", "of a user"])
def test_a_step_ends_with_its_run_but_not_with_the_shell_of_the_user(of_run):
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY)}
    command = [sys.executable, "-c", PARENT, STEP, *(["of a run"] if of_run else [])]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as parent:
        step = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + (10 if of_run else 0.5)
    while is_alive(step) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert is_alive(step) != of_run
    if not of_run:
        os.kill(step, signal.SIGKILL)


SNAKEMAKE = """#!/bin/bash
trap 'echo finished > finished; exit 1' TERM
touch started
while true; do sleep 0.05; done
"""


@pytest.mark.skipif(not shutil.which("make"), reason="make is missing")
def test_make_passes_sigterm_on_and_waits_for_snakemake(tmp_path):
    for name, text in (("gamtune", "#!/bin/sh\n"), ("snakemake", SNAKEMAKE)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    command = ["make", "-f", str(LIBRARY.parent / "Makefile"), "run", "--old-file=.venv/installed", f"BIN={tmp_path}"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as make:
        deadline = time.monotonic() + 20
        while not (tmp_path / "started").exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        make.terminate()
    assert make.returncode != 0
    assert (tmp_path / "finished").exists()

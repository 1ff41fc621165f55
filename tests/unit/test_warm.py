"""The server of workers: trials in its children, and signals to all processes that are involved."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
from warm_run import ENDLESS, SHORT, Run, alive, children, cpu_seconds, has_tensorflow, until, without_times

from gamtune.config.settings import make_spec
from gamtune.runtime.environment import LIBRARY
from gamtune.runtime.warm import VARIABLE, start_server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the server of workers is Linux only"),
]

SEARCH = Path(__file__).parents[1] / "golden" / "gam" / "digits_random_100.csv"
MEMORY_GROUPS = Path("/sys/fs/cgroup/memory")


@pytest.fixture(scope="module")
def run(tmp_path_factory, digits) -> Iterator[Run]:
    """Return a run whose server of workers no test ends."""
    run = Run(tmp_path_factory.mktemp("a run"), digits)
    yield run
    run.end()


@pytest.fixture
def own_run(tmp_path, digits) -> Iterator[Run]:
    """Return a run that a test may end."""
    run = Run(tmp_path, digits)
    yield run
    run.end()


def test_the_server_imports_nothing_before_the_first_job(own_run):
    time.sleep(1)
    assert not has_tensorflow(own_run.server)
    assert cpu_seconds(own_run.server) < 0.5


def test_the_server_imports_immediately_if_trials_are_expected(tmp_path, digits):
    run = Run(tmp_path, digits, expected=True)
    until(lambda: has_tensorflow(run.server))
    run.end()


@pytest.mark.parametrize("threads", [1, 2])
def test_a_trial_of_a_worker_equals_one_in_a_separate_process(run, threads):
    spec = make_spec(SHORT.settings() | {"threads": threads}, 1)
    warm, cold = f"warm {threads}", f"cold {threads}"
    run.job(warm, spec)
    until(lambda: (run.folder / warm / "record.json").exists())
    run.job(cold, spec, worker_server="")
    until(lambda: (run.folder / cold / "record.json").exists())
    assert without_times(run.record(warm)) == without_times(run.record(cold))
    one, other = (
        keras.saving.load_model(run.folder / name / "model.keras", compile=False).get_weights() for name in (warm, cold)
    )
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_each_trial_prints_to_its_log(run):
    mad = make_spec({"neurons": [8], "optimizer": "sgd", "learning_rate": 1e30}, 1)
    run.job("fine")
    run.job("mad", mad)
    until(lambda: all((run.folder / name / "record.json").exists() for name in ("fine", "mad")))
    assert "DivergedError: the loss is not finite in epoch" in run.log("mad")
    assert run.record("mad")["status"] == "failed"
    assert "DivergedError" not in run.log("fine")
    assert "DivergedError" not in run.log("workers")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_stopped_job_ends_its_trial_but_not_the_server(run, number):
    name = f"stopped by {number.name}"
    job = run.job(name, ENDLESS)
    run.wait_for_epochs(name)
    (trial,) = run.trials
    os.kill(job, number)
    until(lambda: not alive(trial))
    until(lambda: not alive(job))
    assert not (run.folder / name / "record.json").exists()
    if number != signal.SIGKILL:
        assert run.left_in_store(name) == []
    run.job(f"after {number.name}")
    until(lambda: (run.folder / f"after {number.name}" / "record.json").exists())


def test_a_killed_trial_fails_its_attempt_and_the_last_attempt_is_recorded(run):
    for attempt in (1, 2):
        job = run.job("killed", ENDLESS, attempt)
        run.wait_for_epochs("killed")
        os.kill(run.trials[0], signal.SIGKILL)
        until(lambda job=job: not alive(job))
        if attempt == 1:
            output = run.log("killed")
            assert (
                "killed by signal 9 (SIGKILL), which usually means that the machine ran out of memory, in attempt 1 of 2"
                in output
            )
            assert "Traceback" not in output
            assert not (run.folder / "killed" / "record.json").exists()
    assert run.record("killed")["status"] == "failed"
    assert run.left_in_store("killed") == []


def test_jobs_continue_when_the_server_is_killed(own_run, tmp_path):
    own_run.job("orphan", make_spec({"neurons": [64], "epochs": 400}, 1))
    own_run.wait_for_epochs("orphan")
    (trial,) = own_run.trials
    step = start_gam(tmp_path / "alone", own_run.token)
    until(lambda: len(own_run.trials) == 2)
    os.kill(own_run.server, signal.SIGKILL)
    until(lambda: not alive(trial))
    until(lambda: (own_run.folder / "orphan" / "record.json").exists())
    assert own_run.record("orphan")["epochs_run"] == 400
    assert "the server of workers does not respond" in own_run.log("orphan")
    assert step.wait() == 0, step.stdout.read()
    assert (tmp_path / "alone" / "gam" / "terms.csv").exists()


def test_a_killed_run_ends_server_jobs_and_trials(own_run):
    jobs = [own_run.job(f"job {number}", ENDLESS) for number in (1, 2)]
    own_run.wait_for_epochs("job 1")
    own_run.wait_for_epochs("job 2")
    everyone = [own_run.server, *jobs, *own_run.trials]
    own_run.process.kill()
    own_run.process.wait()
    until(lambda: not any(map(alive, everyone)), 20)
    for number in (1, 2):
        assert not (own_run.folder / f"job {number}" / "record.json").exists()
        assert own_run.left_in_store(f"job {number}") == []


def test_a_run_uses_the_running_server_of_its_environment(own_run, monkeypatch, tmp_path):
    monkeypatch.setenv(VARIABLE, own_run.token)
    start_server(tmp_path / "second.txt")
    assert os.environ[VARIABLE] == own_run.token
    assert not (tmp_path / "second.txt").exists()
    assert not has_tensorflow(own_run.server), "looking for the server must not make it import anything"
    own_run.end()
    until(lambda: not alive(own_run.server))
    before = set(children(os.getpid()))
    start_server(tmp_path / "second.txt")
    assert os.environ[VARIABLE] != own_run.token
    assert (tmp_path / "second.txt").exists()
    (second,) = set(children(os.getpid())) - before
    os.kill(second, signal.SIGKILL)
    until(lambda: not alive(second))


def test_another_environment_finds_no_server(run):
    job = run.job("elsewhere", ENDLESS, worker_server="0123456789abcdef")
    own = until(lambda: children(job))
    assert run.trials == []
    os.kill(job, signal.SIGTERM)
    until(lambda: not alive(own[0]))


def start_gam(folder, worker_server, formula="s(l1, k=4) + te(depth, sum_neurons, k=4)", program=("-m", "gamtune")):
    """Start a fit in a child of a server of workers, or in a process of its own if that is empty."""
    command = [sys.executable, *program, "gam", SEARCH, "--formula", formula, "--out", folder / "gam"]
    environment = os.environ | {"PYTHONPATH": str(LIBRARY), VARIABLE: worker_server, "OPENBLAS_NUM_THREADS": "2"}
    return subprocess.Popen(
        [*map(str, command)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


@pytest.fixture
def imported(run):
    """Return the run, whose server of workers has imported TensorFlow for a job."""
    if not has_tensorflow(run.server):
        run.job("first")
        until(lambda: (run.folder / "first" / "record.json").exists())
    until(lambda: not run.trials)
    return run


def test_a_step_in_a_child_of_the_server_writes_the_same_files_as_a_separate_process(imported, tmp_path):
    left = []
    for name, worker_server in (("warm", imported.token), ("cold", "")):
        step = start_gam(tmp_path / name, worker_server)
        if worker_server:
            until(lambda: imported.trials)
        assert step.wait() == 0, step.stdout.read()
        assert step.stdout.read() == ""
        left.append({path.name: path.read_bytes() for path in (tmp_path / name / "gam").iterdir()})
    assert len(left[0]) > 5
    assert left[0] == left[1]


def test_a_step_in_a_separate_process_uses_one_thread_like_the_server(tmp_path):
    code = """import sys
from gamtune.cli.main import main
main(sys.argv[1:])
from threadpoolctl import threadpool_info
print([library["num_threads"] for library in threadpool_info()])"""
    output, _ = start_gam(tmp_path, "", program=("-c", code)).communicate()
    numbers = json.loads(output)
    assert numbers
    assert set(numbers) == {1}


def test_a_step_in_the_server_reports_errors_like_a_separate_process(imported, tmp_path):
    ends = []
    for name, worker_server in (("warm", imported.token), ("cold", "")):
        step = start_gam(tmp_path / name, worker_server, "s(nothing)")
        ends.append((step.wait(), step.stdout.read()))
    assert ends[0][0] == 2
    assert "no column 'nothing'" in ends[0][1]
    assert ends[0] == ends[1]


def test_a_killed_step_reports_its_signal(imported, tmp_path):
    step = start_gam(tmp_path / "killed", imported.token)
    os.kill(until(lambda: imported.trials)[0], signal.SIGKILL)
    assert step.wait() == 128 + signal.SIGKILL
    assert step.stdout.read() == "gamtune gam: killed by signal 9 (SIGKILL)\n"


def test_a_step_does_not_make_the_server_import(own_run, tmp_path):
    step = start_gam(tmp_path / "step", own_run.token)
    assert step.wait() == 0, step.stdout.read()
    assert not has_tensorflow(own_run.server)


def private_megabytes(pid):
    """Return the megabytes that a process shares with no other process."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


def test_simultaneous_trials_share_the_memory_of_the_import(run):
    jobs = [run.job(f"sharing {number}", ENDLESS) for number in range(3)]
    for number in range(3):
        run.wait_for_epochs(f"sharing {number}")
    own = [private_megabytes(trial) for trial in run.trials]
    for job in jobs:
        os.kill(job, signal.SIGTERM)
        until(lambda job=job: not alive(job))
    assert len(own) == 3
    assert sum(own) < 3 * 250, own


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("worker_server", [None, ""], ids=["warm", "cold"])
def test_a_trial_uses_its_number_of_threads(run, threads, worker_server):
    spec = make_spec({"neurons": [1000, 1000], "batch_size": 512, "epochs": 1_000_000, "threads": threads}, 1)
    name = f"threads {threads} {worker_server}"
    job = run.job(name, spec, worker_server=worker_server)
    run.wait_for_epochs(name)
    (trial,) = run.trials if worker_server is None else children(job)
    before, start = thread_seconds(trial), cpu_seconds(trial)
    until(lambda: cpu_seconds(trial) > start + 0.8 * threads)
    after = thread_seconds(trial)
    os.kill(job, signal.SIGTERM)
    until(lambda: not alive(job))
    spent = sorted((after[thread] - before.get(thread, 0) for thread in after), reverse=True)
    busy = [seconds for seconds in spent if seconds > 0.1 * sum(spent)]
    assert len(busy) == threads, spent


def thread_seconds(pid):
    """Return the CPU seconds of each thread of a process."""
    return {task.name: cpu_seconds(f"{pid}/task/{task.name}") for task in Path(f"/proc/{pid}/task").iterdir()}


@pytest.fixture
def memory_group() -> Iterator[Path]:
    """Yield a group of processes whose memory the kernel limits."""
    group = MEMORY_GROUPS / f"gamtune-{os.getpid()}"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(1500 << 20))
    except OSError as error:
        pytest.skip(f"the kernel's memory groups cannot be written here: {error}")
    yield group
    with contextlib.suppress(OSError):
        until(lambda: not (group / "cgroup.procs").read_text().strip(), 20)
        group.rmdir()


def test_a_trial_that_is_killed_for_memory_does_not_end_other_trials(tmp_path, digits, memory_group):
    run = Run(tmp_path, digits, memory_group)
    try:
        run.job("greedy", make_spec({"neurons": [12000, 12000], "epochs": 2}, 1), 2)
        until(lambda: (run.folder / "greedy" / "record.json").exists(), 120)
        assert (
            "killed by signal 9 (SIGKILL), which usually means that the machine ran out of memory"
            in run.record("greedy")["reason"]
        )
        run.job("modest")
        until(lambda: (run.folder / "modest" / "record.json").exists())
        assert run.record("modest")["status"] == "ok"
        assert alive(run.server)
    finally:
        run.end()

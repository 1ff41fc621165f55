"""Workers train several trials one after the other, and are replaced when that could change or endanger a trial."""

import json
import os
import random
import shutil
import signal
import socket
import sys
import time

import pytest
from optimizers import ANNEALED, H2O_OPTIMIZERS, NETWORKS, OPTIMIZERS
from warm_run import ENDLESS, Run, alive, until, without_times

from gamtune.config.settings import make_spec
from gamtune.runtime import worker
from gamtune.runtime.served import address

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="workers run on Linux only")]
SMALL = {"epochs": 2, "batch_size": 64, "depth": 2, "neurons": [12, 9]}


@pytest.fixture
def run(tmp_path, digits):
    """Return a run that has started a server of workers."""
    run = Run(tmp_path, digits)
    yield run
    run.end()


def train(run, name, spec, **more):
    """Train a trial and return its record; the job must end without an error."""
    job = run.job(name, spec, **more)
    until(lambda: not alive(job))
    return run.record(name)


def small(seed=1, **settings):
    return make_spec({**SMALL, **settings}, seed)


def test_a_worker_trains_one_trial_after_the_other(run):
    train(run, "first", small())
    (first,) = run.workers
    for number in range(3):
        train(run, f"next {number}", small(neurons=[5 + number, 30]))
    assert run.workers == [first]


def test_there_are_as_many_workers_as_simultaneous_trials(run):
    train(run, "first", small())
    jobs = [run.job(f"endless {number}", ENDLESS) for number in (1, 2)]
    for number in (1, 2):
        run.wait_for_epochs(f"endless {number}")
    assert len(run.workers) == len(run.trials) == 2
    os.kill(jobs[0], signal.SIGTERM)
    until(lambda: len(run.workers) == 1)
    train(run, "after", small())
    assert len(run.workers) == 2
    os.kill(jobs[1], signal.SIGTERM)


def test_trials_with_another_number_of_threads_have_another_worker(run):
    train(run, "one thread", small())
    (one,) = run.workers
    train(run, "two threads", small(threads=2))
    (two,) = run.workers  # an idle worker is replaced, so that their number does not grow
    assert one != two
    until(lambda: not alive(one))


def test_trials_with_another_environment_have_another_worker(run):
    train(run, "first", small())
    (one,) = run.workers
    job = run.job("second", small(seed=2), variables={"TF_ENABLE_ONEDNN_OPTS": "0"})
    until(lambda: not alive(job))
    (two,) = run.workers
    assert one != two


def test_a_worker_continues_after_a_diverged_trial(run):
    first = train(run, "first", small())
    (one,) = run.workers
    mad = train(run, "mad", small(optimizer="sgd", learning_rate=1e30))
    assert mad["status"] == "failed"
    assert without_times(train(run, "again", small())) == without_times(first)  # in another store
    assert run.workers == [one]


def test_a_worker_is_replaced_after_a_trial_that_could_not_be_trained(run, digits):
    train(run, "first", small())
    (one,) = run.workers
    shutil.copytree(digits.parent, run.folder / "damaged")
    os.truncate(run.folder / "damaged" / "x_train.npy", 1000)
    job = run.job("broken", small(seed=2), data=run.folder / "damaged" / "dataset.json")
    until(lambda: not alive(job))
    assert "x_train.npy: damaged" in run.log("broken")
    assert train(run, "after", small(seed=3))["status"] == "ok"
    assert run.workers != [one]


def test_a_worker_that_is_killed_while_idle_is_replaced(run):
    train(run, "first", small())
    (one,) = run.workers
    os.kill(one, signal.SIGKILL)
    until(lambda: run.workers == [])
    assert train(run, "second", small(seed=2))["status"] == "ok"
    assert len(run.workers) == 1


def test_the_server_survives_jobs_that_end_before_they_have_sent_their_request(run):
    train(run, "first", small())
    for sent in (b"", b"half a header", b"\0" * worker.HEADER_BYTES):
        for _ in range(5):
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(address(run.token))
                connection.sendall(sent)
    for _ in range(3):
        job = run.job("killed early", ENDLESS)
        time.sleep(0.05)
        os.kill(job, signal.SIGKILL)
    assert train(run, "after", small(seed=2))["status"] == "ok"
    assert alive(run.server)
    until(lambda: not run.trials)


@pytest.fixture
def ask(tmp_path):
    """Return a function that starts a worker, runs jobs in it and returns its answers and its exit code."""

    def answers(*jobs):
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            ours.close()
            worker.work(theirs, os.getppid())
            os._exit(7)
        theirs.close()
        found = []
        with (tmp_path / "log.txt").open("w") as log:
            for function, argument in jobs:
                job, connection = socket.socketpair()
                content = {"function": f"worker_jobs:{function}", "argument": argument, "directory": str(tmp_path)}
                request = json.dumps(content | {"environment": dict(os.environ)}).encode()
                header = len(request).to_bytes(worker.SIZE_BYTES) + b"p" * worker.POOL_BYTES
                socket.send_fds(ours, [header], [connection.fileno(), log.fileno(), log.fileno()])
                job.sendall(request)
                found.append(ours.recv(100).decode().split())
        ours.close()
        return found, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    return answers


def test_a_worker_ends_with_the_server_and_after_a_number_of_jobs(ask, monkeypatch):
    assert ask(("finish", 0), ("finish", 0)) == ([["0"], ["0"]], 7)
    monkeypatch.setattr(worker, "MOST_JOBS", 2)
    assert ask(("finish", 0), ("finish", 0)) == ([["0"], ["0", "last"]], 7)


def test_a_worker_ends_after_a_failed_job(ask):
    assert ask(("finish", 0), ("finish", 4)) == ([["0"], ["4", "last"]], 7)


def test_a_worker_ends_when_its_memory_has_grown(ask, monkeypatch):
    monkeypatch.setattr(worker, "MOST_GROWTH", 100 << 20)
    jobs = [("grow", 10), ("grow", 60), ("grow", 60)]
    assert ask(*jobs) == ([["0"], ["0"], ["0", "last"]], 7)


def test_a_worker_ends_quietly_if_a_job_is_killed_while_it_sends_its_request(tmp_path, capfd):
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        ours.close()
        worker.work(theirs, os.getppid())
        os._exit(7)
    theirs.close()
    job, connection = socket.socketpair()
    with (tmp_path / "log.txt").open("w") as log:
        header = (1000).to_bytes(worker.SIZE_BYTES) + b"p" * worker.POOL_BYTES
        socket.send_fds(ours, [header], [connection.fileno(), log.fileno(), log.fileno()])
    connection.close()
    job.sendall(b'{"function": ')
    job.close()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    assert capfd.readouterr().err == ""


def test_a_worker_prints_to_the_log_of_its_job(ask, tmp_path):
    ask(("finish", 0), ("finish", 0))
    assert (tmp_path / "log.txt").read_text() == "finished\nfinished\n"


def test_records_equal_those_of_separate_processes_for_all_networks_and_optimizers(run):
    optimizers = [*OPTIMIZERS, *H2O_OPTIMIZERS, ANNEALED]
    networks = list(NETWORKS.values())
    specs = {
        f"{number}": small(**optimizer, **{**networks[number % len(networks)], "neurons": [8 + number, 7]})
        for number, optimizer in enumerate(optimizers)
    }
    order = list(specs)
    random.Random(3).shuffle(order)
    warm = {name: train(run, name, specs[name]) for name in order}
    for name in order[:3]:  # a process of its own takes 5 s
        cold = run.job(f"cold {name}", specs[name], worker_server="")
        until(lambda cold=cold: not alive(cold))
        assert without_times(run.record(f"cold {name}")) == without_times(warm[name])
    assert {record["status"] for record in warm.values()} == {"ok"}


def test_own_memory_is_measured():
    before = worker.own_bytes()
    block = bytearray(b"x" * (64 << 20))
    assert 60 << 20 < worker.own_bytes() - before < 80 << 20
    assert len(block) == 64 << 20

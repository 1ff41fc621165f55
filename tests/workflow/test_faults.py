"""Errors and interruptions of runs, and the files that they leave."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from project import PYTHON_FOLDER

pytestmark = pytest.mark.workflow

DIVERGING = {
    "search": {"strategy": "manual", "rows": [{"name": "mad", "optimizer": "sgd", "learning_rate": 1e30},
                                              {"name": "sane", "neurons": 16}]},
    "space": None, "analysis": {"gam": None},
    "selection": {"rules": ["best_observed"], "confirm": {"top": 1, "replicates": 1}, "final": {"replicates": 1}},
}  # fmt: skip


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if ".snakemake" not in path.parts)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"trainig": {}}, "config/small.yaml: trainig: unknown key, did you mean 'training'?"),
        (
            {"data__path": "data/digit.csv"},
            "config/small.yaml: data.path: data/digit.csv does not exist or is not a file",
        ),
        ({"analysis__gam": "s(lr)"}, "config/small.yaml: analysis.gam: s(lr): no column 'lr' in the table"),
    ],
)
def test_snakemake_reports_an_invalid_config_in_one_line(new_project, changes, line):
    new_project.configure(**changes)
    before = files(new_project.folder)
    done = new_project.snakemake()
    assert done.code == 2
    assert line in done.output
    assert "Traceback" not in done.output
    assert len([printed for printed in done.output.splitlines() if "profile" not in printed]) == 1
    assert files(new_project.folder) == before
    assert new_project.gamtune("check", "config/small.yaml").code == 2


@pytest.mark.parametrize("target", ["results/other/report.html", "results/small/trials/1/record.json"])
def test_a_target_of_another_study_or_trial_is_refused(new_project, target):
    before = files(new_project.folder)
    done = new_project.snakemake(target)
    assert done.code != 0
    assert re.search(rf"MissingRuleException:\nNo rule to produce {target} ", done.output), done.output
    assert files(new_project.folder) == before


def test_snakemake_reports_an_invalid_cell_of_the_data(new_project):
    new_project.edit("data/digits.csv", "\n0.0,0.0,5.0", "\n0.0,oops,5.0")
    done = new_project.snakemake()
    assert done.code != 0
    assert "row 1, column 'pixel_0_1': 'oops' is not a number, but other cells of the column are" in done.output
    assert not new_project.path("data").exists() or not any(new_project.path("data").iterdir())


def test_a_diverging_trial_does_not_stop_the_study(new_project):
    new_project.configure(**DIVERGING)
    done = new_project.snakemake()
    assert done.code == 0, done.output
    rows = {row["name"]: row for row in new_project.rows("summary.csv")}
    assert (rows["mad"]["status"], rows["sane"]["status"]) == ("failed", "ok")
    assert rows["mad"]["reason"].startswith("DivergedError: the loss is not finite in epoch 1")
    assert rows["mad"]["validation_mse"] == ""
    assert "2 (1 failed)" in new_project.gamtune("show", new_project.config).output
    assert "not finite" in new_project.path("report.html").read_text()
    assert new_project.path("gam/skipped.txt").read_text() == "analysis.gam is null\n"
    assert new_project.snakemake("-n").nothing_done
    forgotten = new_project.gamtune("reset-failed", "config/small.yaml")
    assert "1 failed trials removed" in forgotten.output
    assert new_project.planned()["train"] == 1


def test_an_unavailable_server_fails_only_the_sync(finished):
    finished.configure(tracking={"uri": "http://127.0.0.1:9"})
    finished.path("report.html").unlink()
    done = finished.snakemake()
    assert done.code == 1
    assert finished.path("report.html").exists()
    assert "gamtune sync: http://127.0.0.1:9: " in done.output
    assert "Traceback" not in done.output
    assert set(finished.planned()) == {"sync", "all"}
    finished.configure()
    assert finished.snakemake().code == 0


def test_a_study_runs_in_a_folder_with_spaces_with_configurations_from_a_file(new_project, tmp_path):
    new_project.copy_code()
    spaced = tmp_path / "a folder with spaces"
    new_project.folder.rename(spaced)
    shutil.rmtree(spaced / "results")
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    (elsewhere / "my rows.csv").write_text("name,neurons,l1\nb,20 10,0.001\na,16,\n")
    config = {
        "study": "small", "data": {"source": "digits"}, "search": {"strategy": "manual", "rows": "my rows.csv"},
        "training": {"epochs": 3, "early_stopping": None},
        "selection": {"rules": ["best_observed"], "confirm": {"top": 1, "replicates": 1}, "final": {"replicates": 1}},
    }  # fmt: skip
    (elsewhere / "my study.yaml").write_text(yaml.safe_dump(config))
    new_project.code, new_project.folder, new_project.config = spaced, elsewhere, "my study.yaml"
    here = ("--directory", str(elsewhere))
    done = new_project.snakemake(*here)
    assert done.code == 0, done.output
    assert new_project.path("report.html").exists()
    assert not (spaced / "results").exists()
    rows = new_project.rows("summary.csv")
    assert [(row["name"], row["neurons"], row["epochs_run"]) for row in rows] == [
        ("b", "20 10", "3"),
        ("a", "16 16", "3"),
    ]
    assert "gamtune ui 'my study.yaml'" in new_project.gamtune("show", "my study.yaml").output
    assert new_project.snakemake(*here).nothing_done
    (elsewhere / "my rows.csv").write_text("name,neurons,l1\nb,20 10,0.001\na,16,\nc,8,\n")
    assert {"table": 1, "train": 1, "summarise": 1}.items() <= new_project.snakemake("-n", *here).jobs.items()


def test_a_second_run_is_refused_and_a_killed_run_resumes(untouched_project):
    new_project = untouched_project
    new_project.copy_code()
    selection = {"rules": ["best_observed"], "confirm": {"top": 1, "replicates": 1}, "final": {"replicates": 1}}
    new_project.configure(analysis=None, selection=selection, search__draws=4)
    make = [
        "make",
        "run",
        "--old-file=.venv/installed",
        f"BIN={shlex.quote(str(PYTHON_FOLDER))}",
        "CONFIG=config/small.yaml",
        "CORES=2",
    ]
    other = new_project.folder / "config" / "other.yaml"
    other.write_text((new_project.folder / new_project.config).read_text().replace("study: small", "study: other"))
    with started(make, new_project.folder, env=new_project.variables()) as run:
        deadline = time.monotonic() + 200
        while not list(new_project.path("trials").glob("*/record.json")):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        (snakemake,) = processes_in(new_project.folder, "snakemake --cores")
        os.killpg(run.pid, signal.SIGSTOP)  # the run might end before all calls below are refused
        assert_refused(new_project, snakemake, new_project.call(*make))
        assert_refused(new_project, snakemake, new_project.snakemake("--configfile", "config/other.yaml"))
        assert_refused(new_project, snakemake, new_project.gamtune("prune", "config/small.yaml", "--yes"))
        assert_refused(new_project, snakemake, new_project.gamtune("reset-failed", "config/small.yaml"))
        assert not (new_project.folder / "results" / "other").exists()
        listed = new_project.gamtune("prune", "config/small.yaml")
        assert (listed.code, f"PID {snakemake} on" in listed.output) == (0, True)
        os.kill(snakemake, signal.SIGKILL)
        os.killpg(run.pid, signal.SIGCONT)
        run.wait(20)
    kept = {path: path.read_text() for path in new_project.path("trials").glob("*/record.json")}
    done = new_project.call(*make)
    assert done.code == 0, done.output
    assert "An earlier run was killed; its lock was removed." in done.output
    assert all(path.read_text() == text for path, text in kept.items())
    assert len(new_project.rows("summary.csv")) == 4
    again = new_project.call(*make)
    assert again.nothing_done
    assert "Best (search)" in again.output
    deadline = time.monotonic() + 20  # the follower checks every 5 seconds whether its Snakemake process exists
    while processes_in(new_project.folder, "gamtune") and time.monotonic() < deadline:
        time.sleep(0.2)
    assert processes_in(new_project.folder, "gamtune") == []


def assert_refused(project, snakemake, done):
    """Check that the active run is reported in one line, and that the lock of Snakemake still exists."""
    assert done.code == 2, done.output
    lines = [line for line in done.output.splitlines() if "another run is active" in line]
    assert len(lines) == 1, done.output
    assert f"study small, PID {snakemake} on " in lines[0]
    assert "Traceback" not in done.output
    assert len(list((project.folder / ".snakemake" / "locks").iterdir())) == 2


@pytest.mark.parametrize(
    ("workers", "number", "everyone"),
    [
        ("warm", signal.SIGINT, True),
        ("process", signal.SIGINT, True),
        ("warm", signal.SIGINT, False),
        ("warm", signal.SIGKILL, False),
        ("process", signal.SIGKILL, False),
    ],
    ids=["ctrl-c-warm", "ctrl-c-cold", "interrupt", "kill-warm", "kill-cold"],
)
def test_a_stopped_run_leaves_no_process_and_no_partial_file(untouched_project, workers, number, everyone):
    new_project = untouched_project
    new_project.configure(
        training__epochs=1_000_000, training__early_stopping={"patience": 1_000_000}, execution__workers=workers
    )
    command = new_project.snakemake_command("--until", "summarise")
    output = new_project.folder / "output.txt"
    variables = new_project.variables()
    with output.open("w") as file, started(command, new_project.folder, variables, file) as run:
        deadline = time.monotonic() + 200
        while not any("epoch 1/" in log.read_text() for log in new_project.path("trials").glob("*/log.txt")):
            assert run.poll() is None, output.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert bool(processes_in(new_project.folder, "gamtune.runtime.server")) == (workers == "warm")
        (os.killpg if everyone else os.kill)(run.pid, number)
        if everyone:
            time.sleep(0.1)
            os.killpg(run.pid, number)  # Ctrl-C is pressed twice
        run.wait(20)
    deadline = time.monotonic() + 20
    while processes_in(new_project.folder, "gamtune") and time.monotonic() < deadline:
        time.sleep(0.1)
    assert processes_in(new_project.folder, "gamtune") == []
    assert list(new_project.path("trials").glob("*/record.json")) == []
    assert list((new_project.folder / "results" / "store").iterdir()) == []
    assert "Traceback" not in output.read_text()


@contextmanager
def started(command, folder, env, output=subprocess.DEVNULL):
    """Start a process in a separate session that receives Ctrl-C and is killed when a test fails."""
    before = signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a shell ignores SIGINT in commands started with "&"
    with subprocess.Popen(command, cwd=folder, env=env, stdout=output, stderr=output, start_new_session=True) as run:
        try:
            yield run
        except BaseException:
            os.killpg(run.pid, signal.SIGKILL)
            raise
        finally:
            signal.signal(signal.SIGINT, before)


def processes_in(folder, command):
    """Return the ids of processes with this working directory and command line."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            if (process / "cwd").resolve() == folder.resolve() and command in line:
                found.append(int(process.name))
        except OSError:
            continue
    return found

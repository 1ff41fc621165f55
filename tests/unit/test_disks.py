"""Full and read-only disks, folders of other users and an unwritable HOME are reported in one line with the path."""

import errno
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from configs import CONFIG

from gamtune.cli.main import main
from gamtune.config.settings import make_spec
from gamtune.errors import InputError
from gamtune.files import replacing, write_text
from gamtune.learners import trial
from gamtune.results import store
from gamtune.runtime import environment
from gamtune.runtime import launch as launching
from gamtune.runtime.environment import LIBRARY
from gamtune.runtime.launch import launch

ORDINARY = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"]


def works(*command):
    return shutil.which(command[0]) and subprocess.run(command, capture_output=True, check=False).returncode == 0


may_mount = pytest.mark.skipif(not works("unshare", "-m", "true"), reason="needs to mount a small disk: root")
has_setpriv = pytest.mark.skipif(not works(*ORDINARY, "true"), reason="needs setpriv and root")


def gamtune(folder, *words, before=()):
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY)}
    command = [*before, sys.executable, "-m", "gamtune", *map(str, words)]
    return subprocess.run(command, cwd=folder, env=environment, text=True, capture_output=True, check=False)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(CONFIG))
    (tmp_path / "data.json").write_text(json.dumps({"data": {"source": "digits"}}))
    (tmp_path / "disk").mkdir()
    return tmp_path


@may_mount
def test_an_unwritable_disk_is_reported_in_one_line_with_the_path(folder):
    script = f"""
    mount -t tmpfs -o size=64k none disk
    dd if=/dev/zero of=disk/fill bs=4k 2> /dev/null
    gamtune() {{ {shlex.quote(sys.executable)} -m gamtune "$@"; echo "exit $?" >&2; }}
    gamtune data --data data.json --out disk/data
    gamtune table config.yaml --out disk/table.csv
    find disk -type f ! -name fill ! -size 0
    rm disk/fill
    gamtune table config.yaml --out disk/table.csv
    mount -o remount,ro disk
    gamtune table config.yaml --out disk/table.csv
    """
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY)}
    command = ["unshare", "-m", "sh", "-c", script]
    done = subprocess.run(command, cwd=folder, env=environment, text=True, capture_output=True, check=False)
    assert done.stdout == ""
    data, _, *rest = done.stderr.splitlines()
    assert data.startswith("gamtune data: disk/data/")
    assert data.endswith(": No space left on device; free some space and run again")
    assert rest == [
        "gamtune table: disk/table.csv: No space left on device; free some space and run again",
        "exit 1",
        "exit 0",
        "gamtune table: disk/table.csv: Read-only file system; work in a folder that can be written",
        "exit 1",
    ]


@has_setpriv
def test_a_folder_without_write_permission_is_reported_in_one_line(folder):
    (folder / "disk").chmod(0o555)
    done = gamtune(folder, "table", "config.yaml", "--out", "disk/table.csv", before=ORDINARY)
    assert done.returncode == 1
    assert done.stderr == (
        "gamtune table: disk/table.csv: Permission denied; ask its owner for permission, or work in another folder\n"
    )


@has_setpriv
def test_matplotlib_prints_no_warning_if_home_is_not_writable(folder):
    (folder / "disk").chmod(0o555)
    script = "from gamtune.runtime.environment import use_writable_caches as use; use(); import matplotlib; print(matplotlib.get_cachedir())"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(LIBRARY), "HOME": str(folder / "disk")}
    environment["TMPDIR"] = str(folder)
    command = [*ORDINARY, sys.executable, "-c", script]
    done = subprocess.run(command, env=environment, text=True, capture_output=True, check=True)
    assert done.stderr == ""
    assert done.stdout == f"{folder}/gamtune-cache-{os.getuid()}/matplotlib\n"


def test_a_writable_home_and_user_variables_are_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("MPLCONFIGDIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "mine")
    environment.use_writable_caches()
    assert "MPLCONFIGDIR" not in os.environ
    assert os.environ["XDG_CACHE_HOME"] == "mine"


def test_a_cache_folder_of_another_user_is_not_used(monkeypatch, tmp_path):
    monkeypatch.setattr(environment, "_can_hold_files", lambda folder: False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv("MPLCONFIGDIR", raising=False)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / f"gamtune-cache-{os.getuid()}").symlink_to(tmp_path / "elsewhere")
    monkeypatch.setenv("XDG_CACHE_HOME", "mine")
    environment.use_writable_caches()
    assert not list((tmp_path / "elsewhere").iterdir())
    assert Path(os.environ["MPLCONFIGDIR"]).is_dir()


def test_bugs_keep_their_traceback(monkeypatch):
    monkeypatch.setattr("gamtune.cli.check.run", lambda options: os.close(12345))
    with pytest.raises(OSError, match="Bad file descriptor"):
        main(["check", "config.yaml"])


def test_write_errors_name_the_file(tmp_path):
    for raised in (OSError(errno.ENOSPC, "full"), OSError("4096 requested and 0 written")):
        with pytest.raises(OSError, match=r"full|No space") as caught, replacing(tmp_path / "x_train.npy"):
            raise raised
        assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(tmp_path / "x_train.npy"))
    with pytest.raises(OSError, match=r"^of another kind$"), replacing(tmp_path / "a"):
        raise OSError("of another kind")
    assert list(tmp_path.iterdir()) == []


def test_a_device_or_a_pipe_is_not_replaced_by_a_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="is not a regular file; choose the path of a file"):
        write_text(tmp_path / "pipe", "text")
    assert (tmp_path / "pipe").is_fifo()


def test_a_full_disk_does_not_destroy_the_previous_array(tmp_path, monkeypatch):
    np.save(tmp_path / "x.npy", [1])
    with pytest.raises(OSError, match="No space left on device"), replacing(tmp_path / "x.npy"):
        raise OSError("8 requested and 4 written")
    assert np.load(tmp_path / "x.npy").tolist() == [1]


def test_only_unused_leftovers_of_killed_trials_are_removed(tmp_path, monkeypatch):
    script = (
        "import os, pathlib, sys\nfrom gamtune.results.store import new_folder\n"
        "with new_folder(pathlib.Path(sys.argv[1])) as part:\n    print(part, flush=True)\n    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, tmp_path]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    jobs = [subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(LIBRARY)}, **pipes) for _ in range(2)]
    killed, alive = (Path(job.stdout.readline().rstrip()) for job in jobs)
    jobs[0].kill()
    jobs[0].wait()
    elsewhere, ancient, kept = tmp_path / ".part-another-1", tmp_path / ".part-another-2", tmp_path / "0123"
    for one in (elsewhere, ancient, kept):
        one.mkdir()
    week_ago = time.time() - 8 * 86400
    os.utime(ancient, (week_ago, week_ago))
    os.utime(kept, (week_ago, week_ago))
    store.remove_leftovers(tmp_path)
    assert not killed.exists()
    assert set(tmp_path.iterdir()) == {alive, elsewhere, kept}
    jobs[1].communicate("")
    assert not alive.exists()
    store.remove_leftovers(tmp_path / "missing")


def as_user(user, work):
    """Call a function in a child process as another user of group 0, whose members may write."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.umask(0o002)
            os.setgroups([])
            os.setgid(4242)
            os.setuid(user)
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.skipif(os.getuid() != 0, reason="needs to become other users: root")
def test_two_users_of_a_group_share_a_store(digits, monkeypatch):
    def write(spec, data, code, attempt, folder, leaves, earlier):
        for name in leaves:
            (folder / name).write_text(str(os.getuid()))
        content = {"trial": spec.trial, "data": data.fingerprint, "code": code, "status": "ok", "user": os.getuid()}
        (folder / "record.json").write_text(json.dumps(content))

    shared = Path(tempfile.mkdtemp())
    try:
        os.chown(shared, 0, 4242)
        shared.chmod(0o2770)
        shutil.copytree(digits.parent, shared / "data")
        (shared / "data").chmod(0o755)
        code = launching.training_code()
        monkeypatch.setattr(launching, "training_code", lambda: code)
        monkeypatch.setattr(trial, "run_trial", write)
        spec = make_spec({"neurons": [8]}, 1)

        def train(leaves=("model.keras",)):
            record = shared / "results" / "record.json"
            launch(spec, shared / "data" / "dataset.json", record, shared / "store", 1, 1, leaves)

        assert as_user(5001, train) == 0
        assert as_user(5002, train) == 0
        assert json.loads((shared / "results" / "record.json").read_text())["user"] == 5001
        assert (shared / "results" / "record.json").stat().st_uid == 5002
        (folder,) = (shared / "store").glob("[!.]*")
        assert folder.stat().st_mode & 0o777 == 0o775
        assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o444}
        (folder / "model.keras").unlink()
        (folder / "model.keras").write_text("damaged")
        assert as_user(5002, train) == 0
        assert (folder / "model.keras").read_text() == "5002"
        assert as_user(5001, lambda: shutil.rmtree(folder)) == 0
    finally:
        shutil.rmtree(shared)


def test_a_text_file_respects_the_umask(tmp_path):
    for mask, mode in ((0o002, 0o664), (0o077, 0o600)):
        before = os.umask(mask)
        try:
            write_text(tmp_path / "a.csv", "a\n")
        finally:
            os.umask(before)
        assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {mode}

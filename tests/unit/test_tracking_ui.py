"""The MLflow UI: its command and port, the link to a study and its saved view."""

import os
import re
import shutil
import socket
import subprocess
import sys

import pytest
from tracked import (
    LIBRARY,
    start_python,
    write_config,
)

from gamtune.errors import InputError
from gamtune.tracking.address import TrackingError, absolute_uri
from gamtune.tracking.study import TrackedStudy
from gamtune.tracking.sync import sync
from gamtune.tracking.ui import check_port, deep_link, ui_command

pytestmark = pytest.mark.slow


def test_a_relative_database_path_is_made_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert (
        absolute_uri("sqlite:///results/mlflow.db?timeout=60") == f"sqlite:///{tmp_path}/results/mlflow.db?timeout=60"
    )


def test_the_link_opens_the_saved_view_without_importing_mlflow(study):
    study.write_trials(1)
    assert deep_link(study.tracked, 5000).startswith("http://127.0.0.1:5000/#/experiments/")
    other = TrackedStudy("none", study.uri, study.results)
    assert deep_link(other, 5000) == "http://127.0.0.1:5000/#/experiments"
    [(experiment,)] = study.query("SELECT experiment_id FROM experiments WHERE name = 'digits'")
    ranked = f"http://127.0.0.1:5000/#/experiments/{experiment}/runs?workflowType=machine_learning"
    assert deep_link(study.tracked, 5000).startswith(
        ranked + "&orderByKey=metrics.%60validation_mse%60&orderByAsc=true"
    )
    study.sync()
    assert deep_link(study.tracked, 5000) == ranked + "&compareRunsMode=CHART&viewStateShareKey=gamtune"
    code = (
        "import sys; from pathlib import Path; from gamtune.tracking.ui import deep_link;"
        "from gamtune.tracking.study import TrackedStudy;"
        "deep_link(TrackedStudy('digits', sys.argv[1], Path()), 1); sys.exit('mlflow' in sys.modules)"
    )
    assert start_python(code, study.uri).wait() == 0


def test_the_ui_listens_on_the_loopback_interface_only_and_needs_a_store(study, tmp_path):
    command, environment = ui_command(study.tracked, 5001)
    assert command[command.index("--host") + 1] == "127.0.0.1"
    assert command[command.index("--allowed-hosts") + 1] == "localhost:5001,127.0.0.1:5001"
    assert environment["MLFLOW_BACKEND_STORE_URI"] == study.uri
    with pytest.raises(TrackingError, match="does not exist yet"):
        ui_command(TrackedStudy("digits", f"sqlite:///{tmp_path}/none.db", study.results), 5001)
    with pytest.raises(TrackingError, match=r"a server; open its UI: http://127\.0\.0\.1:9/#/experiments"):
        ui_command(TrackedStudy("digits", "http://127.0.0.1:9", study.results), 5001)


@pytest.mark.parametrize("port", [0, 65536, -1])
def test_an_invalid_port_is_reported_in_one_line(port):
    with pytest.raises(InputError, match=rf"^port {port} is not valid, expected a number from 1 to 65535; "):
        check_port(port)


def test_a_port_in_use_is_reported_in_one_line_with_a_free_port(tmp_path, empty_database):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        (tmp_path / "results").mkdir()
        shutil.copy(empty_database, tmp_path / "results/mlflow.db")
        write_config(tmp_path)
        command = [sys.executable, "-m", "gamtune", "ui", "config.yaml", "--port", str(port)]
        environment = {**os.environ, "PYTHONPATH": str(LIBRARY)}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    found = re.fullmatch(rf"port {port} is in use; use another one: --port (\d+), or make ui PORT=(\d+)\n", done.stderr)
    check_port(int(found[1]))


def test_the_view_is_saved_for_tested_versions_of_mlflow_only(study, monkeypatch):
    from gamtune.tracking.saved_view import TAG
    from gamtune.tracking.store import Store

    study.write_trials(3)
    monkeypatch.setattr(Store, "version", lambda _: "3.99")
    assert sync(study.tracked).note == "no saved view: its format is tested with MLflow 3.17 only, the version is 3.99"
    tags = f"SELECT value FROM experiment_tags WHERE key = '{TAG}'"
    assert study.query(tags) == []
    monkeypatch.undo()
    assert sync(study.tracked).note == ""
    [(view,)] = study.query(tags)
    assert len(view) < 5000
    sync(study.tracked)
    assert study.query(tags) == [(view,)]
